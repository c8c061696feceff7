// /metrics by the checker of Prometheus itself.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { KEYS, startServer } from './server.js'

if (spawnSync('promtool', ['--version']).error) {
  console.log('promtool (Debian package prometheus) is absent: skipped')
  process.exit(77)
}

let server
before(async () => { server = await startServer() })
after(() => server.stop())

test('promtool finds nothing to say', async () => {
  await server.call('POST', '/v1/track', { key: KEYS.write, body: { userId: 'ann', event: 'Product Clicked' } })
  await server.call('POST', '/v1/track', { key: KEYS.write, body: { event: 'Product Clicked' } })
  await server.call('POST', '/api/v1/decide', { key: KEYS.api, body: { person: 'ann' } })
  const page = await server.call('GET', '/metrics')
  assert.equal(page.status, 200)
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: page.text, encoding: 'utf8' })
  assert.equal(checked.stdout + checked.stderr, '')
  assert.equal(checked.status, 0)
  assert.match(page.text, /^attune_events_total 1$/m)
  assert.match(page.text, /^attune_rejected_events_total\{reason="userId"\} 1$/m)
  assert.match(page.text, /^attune_memory_bytes\{part="profiles"\} \d+$/m)
  assert.ok(!page.text.includes('ann'), 'metrics hold no ids')
})
