// Several workspaces in one process: the key alone chooses, and no key reaches another's workspace.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startServer } from './server.js'

const BINARY = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'attune-workspaces-'))
const keys = {}
let server

const create = (name, ...more) =>
  JSON.parse(execFileSync(BINARY, ['workspace', 'create', name, '--workspaces', folder, '--json', ...more],
    { stdio: ['ignore', 'pipe', 'ignore'] })).keys
const start = (...more) => startServer({ place: ['--workspaces', folder], more })
const call = (method, path, key, body) => server.call(method, path, { key, body })
const click = (userId, item, messageId) =>
  ({ userId, event: 'Product Clicked', messageId, properties: { product_id: item } })
const until = async (what) => {
  for (let i = 0; i < 100; ++i) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('it never came')
}

before(async () => {
  for (const name of ['shop', 'bazaar']) keys[name] = create(name)
  server = await start()
})
after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('the same person and item ids live apart', async () => {
  for (const [name, item] of [['shop', 'red'], ['bazaar', 'blue']]) {
    assert.equal((await call('PUT', `/api/v1/items/${item}`, keys[name].admin, { category: name })).status, 200)
    assert.equal((await call('POST', '/v1/track', keys[name].write, click('ann', item, 'm-1'))).status, 200)
  }
  for (const [name, item, other] of [['shop', 'red', 'blue'], ['bazaar', 'blue', 'red']]) {
    const events = await call('GET', '/v1/spaces/s/collections/users/profiles/user_id:ann/events', keys[name].api)
    assert.deepEqual(events.json.data.map((e) => e.properties.product_id), [item])
    assert.equal((await call('GET', `/api/v1/items/${other}`, keys[name].api)).status, 404)
    const slate = await call('POST', '/api/v1/decide', keys[name].api, { person: 'ann', n: 5 })
    assert.deepEqual(slate.json.items.map((i) => i.id ?? i.item_id), [item], slate.text)
    const why = (key) => call('GET', `/api/v1/decisions/${slate.json.decision_id ?? slate.json.id}`, key)
    assert.equal((await why(keys[name].api)).status, 200)
    assert.equal((await why(keys[name === 'shop' ? 'bazaar' : 'shop'].api)).status, 404)
  }
})

test('a browser names its write key in the body', async () => {
  const answer = await server.call('POST', '/v1/batch', {
    body: { writeKey: keys.bazaar.write, batch: [{ type: 'track', ...click('bob', 'blue', 'm-2') }] },
    headers: { Origin: 'https://bazaar.example', 'Content-Type': 'text/plain' },
  })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.equal((await call('GET', '/api/v1/persons/bob', keys.bazaar.api)).status, 200)
  assert.equal((await call('GET', '/api/v1/persons/bob', keys.shop.api)).status, 404)
  const preflight = await server.call('OPTIONS', '/v1/batch', { headers: { Origin: 'https://bazaar.example' } })
  assert.equal(preflight.status, 204)
})

// Every route of the description, by each key of the shop: nothing of the bazaar is in any answer.
test('no route gives a key what is another workspace\'s', async () => {
  const SECRET = 'of-the-bazaar'
  await call('PUT', '/api/v1/items/x-1', keys.bazaar.admin, { category: SECRET })
  await call('POST', '/v1/identify', keys.bazaar.write, { userId: 'x-1', traits: { word: SECRET } })
  const parts = ['/api/v1/items/x-1', '/v1/spaces/s/collections/users/profiles/x-1/traits', '/api/v1/placements', '/api/v1/keys']
  const look = async () => {
    const all = []
    for (const part of parts) all.push((await call('GET', part, keys.bazaar.admin)).text)
    return all
  }
  const before = await look()
  assert.ok(before.join().includes(SECRET))
  const bazaarKey = (await call('GET', '/api/v1/keys', keys.bazaar.admin)).json.keys[0].id
  const { paths } = (await server.call('GET', '/openapi.json')).json
  let asked = 0
  for (const [pattern, methods] of Object.entries(paths)) {
    if (['/metrics', '/readyz', '/healthz', '/openapi.json'].includes(pattern)) continue
    const path = pattern.replace('/keys/{id}', `/keys/${bazaarKey}`).replace('{part}', 'traits').replace(/\{\w+\}/g, 'x-1')
    for (const method of Object.keys(methods).filter((name) => ['get', 'put', 'post', 'delete'].includes(name))) {
      for (const key of [undefined, 'no-such-key', ...Object.values(keys.shop)]) {
        const answer = await server.call(method.toUpperCase(), path, { key, body: method === 'get' ? undefined : {} })
        ++asked
        assert.ok(!answer.text.includes(SECRET), `${method} ${path}: ${answer.text}`)
        if (!Object.values(keys.shop).includes(key)) assert.equal(answer.status, 401, `${method} ${path} ${answer.text}`)
      }
    }
  }
  assert.ok(asked > 100, `${asked}`)
  assert.deepEqual(await look(), before)
})

test('metrics name the workspace, all lines of one metric together', async () => {
  const { text } = await server.call('GET', '/metrics')
  assert.match(text, /attune_events_total\{workspace="shop"\} \d+/)
  assert.match(text, /attune_events_total\{workspace="bazaar"\} \d+/)
  const types = text.split('\n').filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2])
  assert.equal(new Set(types).size, types.length)
})

test('erasure in one leaves the other', async () => {
  const person = '/v1/spaces/s/collections/users/profiles/user_id:ann/events'
  assert.equal((await call('DELETE', '/api/v1/persons/user_id:ann', keys.shop.admin)).status, 200)
  assert.equal((await call('GET', person, keys.shop.api)).status, 404)
  assert.equal((await call('GET', person, keys.bazaar.api)).json.data.length, 1)
})

test('backups of two workspaces never meet', async () => {
  for (const name of ['shop', 'bazaar']) {
    assert.equal((await call('POST', '/api/v1/backup', keys[name].admin, { name: 'same' })).status, 200)
  }
})

test('what was acknowledged survives a kill', async () => {
  await call('POST', '/v1/track', keys.shop.write, click('kim', 'red', 'm-9'))
  await server.kill()
  server = await start()
  assert.equal((await call('GET', '/api/v1/persons/kim', keys.shop.api)).status, 200)
  assert.equal((await call('GET', '/api/v1/persons/kim', keys.bazaar.api)).status, 404)
})

test('a new workspace is served without a restart', async () => {
  keys.late = create('late', '--time-zone', 'Asia/Tokyo')
  await until(async () => (await call('POST', '/v1/track', keys.late.write, click('lee', 'x', 'm-1'))).status === 200)
})

test('a broken workspace stops no other, and says why', async () => {
  await server.stop()
  keys.broken = create('broken')
  const journal = join(folder, 'broken', 'journal')
  const file = join(journal, readdirSync(journal).find((name) => name.endsWith('.log')))
  const good = join(folder, 'good.log')
  cpSync(file, good)
  writeFileSync(file, 'no log at all, but long enough to be taken for one by anybody who looks')
  server = await start()
  const ready = await server.call('GET', '/readyz')
  assert.equal(ready.status, 200)
  assert.equal(ready.json.status, 'degraded')
  assert.equal(ready.json.workspaces.shop, 'ok')
  assert.notEqual(ready.json.workspaces.broken, 'ok')
  assert.equal((await call('GET', '/api/v1/persons/kim', keys.shop.api)).status, 200)
  // Told 401, a client would drop its events.
  assert.equal((await call('POST', '/v1/track', keys.broken.write, click('ann', 'x', 'm-1'))).status, 503)
  assert.ok(server.said().includes('workspace broken is not served'), server.said())
  cpSync(good, file)
  await until(async () => (await server.call('GET', '/readyz')).json.status === 'ok')
})

test('a key that two workspaces know opens neither', async () => {
  await server.stop()
  cpSync(join(folder, 'shop'), join(folder, 'copy'), { recursive: true })
  server = await start()
  const answer = await call('GET', '/api/v1/items/red', keys.shop.api)
  assert.equal(answer.status, 401)
  assert.equal(answer.json.error.code, 'key_ambiguous')
  assert.equal((await call('GET', '/api/v1/items/blue', keys.bazaar.api)).status, 200)
  await server.stop()
  rmSync(join(folder, 'copy'), { recursive: true })
  server = await start()
})

test('the memory limit is divided, and none gets less than it needs', async () => {
  await server.stop()
  server = await start('--memory', '384M')  // four workspaces: the share would be 96 MB
  const ready = (await server.call('GET', '/readyz')).json
  assert.equal(ready.status, 'degraded')
  assert.match(Object.values(ready.workspaces).join(), /share of the memory limit would be 96 MB/)
  assert.ok(existsSync(join(folder, 'shop')))
})

test('a workspace may have settings of its own, but not the server\'s', async () => {
  await server.stop()
  writeFileSync(join(folder, 'bazaar', 'attune.toml'), '[workspace]\ntime_zone = "Asia/Shanghai"\n')
  writeFileSync(join(folder, 'late', 'attune.toml'), '[server]\nlisten = "0.0.0.0:80"\n')
  server = await start()
  const ready = (await server.call('GET', '/readyz')).json.workspaces
  assert.equal(ready.bazaar, 'ok')
  assert.match(ready.late, /server\.listen is the server's/)
})
