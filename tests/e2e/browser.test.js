// What a browser does on a page of another origin: preflight, fetch, sendBeacon.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KEYS, startServer } from './server.js'

let server
before(async () => { server = await startServer() })
after(() => server.stop())
const ORIGIN = { Origin: 'https://shop.example' }

test('a page may send events after a preflight', async () => {
  const preflight = await server.call('OPTIONS', '/v1/track', {
    headers: { ...ORIGIN, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization, content-type' },
  })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.text, '')
  assert.equal(preflight.headers['access-control-allow-origin'], '*')
  assert.match(preflight.headers['access-control-allow-methods'], /POST/)
  for (const header of ['authorization', 'content-type']) {
    assert.ok(preflight.headers['access-control-allow-headers'].split(', ').includes(header), header)
  }
  const body = { anonymousId: 'page-1', event: 'Product Clicked', properties: { product_id: 'p-1' } }
  const sent = await server.call('POST', '/v1/track', { key: KEYS.write, headers: ORIGIN, body })
  assert.equal(sent.status, 200)
  assert.equal(sent.headers['access-control-allow-origin'], '*')
  assert.equal((await server.events('page-1', 'anonymous_id')).length, 1)
})

test('a beacon is plain text with the key in its body', async () => {
  const body = JSON.stringify({ writeKey: KEYS.write, batch: [{ type: 'page', anonymousId: 'page-2', name: 'Bye' }] })
  const headers = { ...ORIGIN, 'Content-Type': 'text/plain;charset=UTF-8' }
  const sent = await server.call('POST', '/v1/batch', { headers, body })
  assert.deepEqual(sent.json, { success: true })
  assert.equal((await server.events('page-2', 'anonymous_id'))[0].event, 'Bye')
})

test('a page may not read, and no page may hold an admin key', async () => {
  const path = '/v1/spaces/shop/collections/users/profiles/anonymous_id:page-1/events'
  const read = await server.call('GET', path, { key: KEYS.api, headers: ORIGIN })
  assert.equal(read.headers['access-control-allow-origin'], undefined)
  const body = { anonymousId: 'page-3', event: 'Product Clicked' }
  const refused = await server.call('POST', '/v1/track', { key: KEYS.admin, headers: ORIGIN, body })
  assert.equal(refused.status, 403)
  assert.equal(refused.json.error.code, 'not_for_browsers')
})

test('an unknown key is refused in a way that the page can read', async () => {
  const body = { anonymousId: 'page-4', event: 'Product Clicked' }
  const refused = await server.call('POST', '/v1/track', { key: 'guess', headers: ORIGIN, body })
  assert.equal(refused.status, 401)
  assert.equal(refused.headers['access-control-allow-origin'], '*')
  assert.equal(refused.json.error.request_id, refused.headers['x-request-id'])
})
