// The npm clients of Segment and RudderStack, unchanged: what they send is stored and read back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { KEYS, startServer } from './server.js'

let server
before(async () => { server = await startServer() })
after(() => server.stop())

const ORDER = { order_id: 'o-1', revenue: 39.95, currency: 'EUR', products: [{ product_id: 'p-1', price: 39.95 }] }
const CONTEXT = { campaign: { source: 'ig', medium: 'social', name: 'spring' }, locale: 'de-DE' }

// The calls of both clients, whose interfaces are alike.
function sayEverything(client, user, anonymous) {
  client.identify({ userId: user, traits: { country: 'DE', age: 31, tags: ['a', 'ü'] } })
  client.track({ userId: user, event: 'Order Completed', properties: ORDER, context: CONTEXT })
  client.track({ userId: user, event: 'Post Liked', properties: { item_id: 'post-7' } })
  client.page({ userId: user, name: 'Home', category: 'Shop', properties: { url: 'https://shop.example/' } })
  client.screen({ userId: user, name: 'Start', properties: { variant: 'b' } })
  client.group({ userId: user, groupId: 'g-1', traits: { plan: 'pro' } })
  client.track({ anonymousId: anonymous, event: 'Product Viewed', properties: { product_id: 'p-9' } })
  client.alias({ userId: user, previousId: anonymous })
}

async function checkEverything(user, anonymous) {
  const events = await server.events(user)
  const one = (type, event) => {
    const found = events.filter((e) => e.type === type && (event === undefined || e.event === event))
    assert.equal(found.length, 1, `${type} ${event}: ${JSON.stringify(found)}`)
    return found[0]
  }
  assert.equal(events.length, 8)
  const order = one('track', 'Order Completed')
  assert.deepEqual(order.properties, ORDER)
  assert.deepEqual(order.context.campaign, CONTEXT.campaign)
  assert.equal(order.context.locale, 'de-DE')
  assert.ok(order.message_id.length > 0)
  assert.ok(Math.abs(Date.now() - Date.parse(order.timestamp)) < 300_000, order.timestamp)
  assert.deepEqual(one('track', 'Post Liked').properties, { item_id: 'post-7' })
  assert.deepEqual(one('track', 'Product Viewed').properties, { product_id: 'p-9' })  // joined by the alias
  assert.deepEqual(one('page', 'Home').properties.url, 'https://shop.example/')
  assert.equal(one('page').properties.category, 'Shop')
  assert.deepEqual(one('screen', 'Start').properties.variant, 'b')
  assert.equal(one('group').event, 'g-1')
  assert.deepEqual(one('group').traits, { plan: 'pro' })
  one('alias')
  assert.deepEqual(one('identify').traits, { country: 'DE', age: 31, tags: ['a', 'ü'] })
  const traits = await server.traits(user)
  assert.equal(traits.country, 'DE')
  assert.equal(traits.age, 31)
  assert.deepEqual(traits.tags, ['a', 'ü'])
  assert.equal((await server.events(anonymous, 'anonymous_id')).length, 8)
  const person = (await server.call('GET', `/api/v1/persons/${user}`, { key: KEYS.api })).json
  for (const verb of ['purchase', 'like', 'view']) assert.ok(person.counts[verb] > 0.9, verb)
}

test('@segment/analytics-node', async () => {
  const failures = []
  const client = new Analytics({ writeKey: KEYS.write, host: server.url, flushAt: 5, flushInterval: 100 })
  client.on('error', (error) => failures.push(error))
  sayEverything(client, 'segment-user', 'segment-anonymous')
  await client.closeAndFlush({ timeout: 20_000 })
  assert.deepEqual(failures, [])
  await checkEverything('segment-user', 'segment-anonymous')
})

test('@rudderstack/rudder-sdk-node', async () => {
  const client = new RudderAnalytics(KEYS.write, { dataPlaneUrl: server.url, flushAt: 5, flushInterval: 100 })
  sayEverything(client, 'rudder-user', 'rudder-anonymous')
  await client.flush()
  for (let i = 0; i < 200; ++i) {  // its flush does not wait for batches already on the way
    const events = await server.events('rudder-user')
    if (events?.length >= 8) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await checkEverything('rudder-user', 'rudder-anonymous')
})

test('a client with an unknown key is told 401 and stores nothing', async () => {
  const failures = []
  const client = new Analytics({ writeKey: 'guess', host: server.url, maxRetries: 0 })
  client.on('error', (error) => failures.push(error))
  client.track({ userId: 'stranger', event: 'Product Clicked' })
  await client.closeAndFlush({ timeout: 20_000 })
  assert.equal(failures.length, 1)
  assert.match(JSON.stringify(failures[0].reason?.message ?? failures[0].message), /401/)
  const path = '/v1/spaces/shop/collections/users/profiles/user_id:stranger/events'
  assert.equal((await server.call('GET', path, { key: KEYS.api })).status, 404)
})

test('the same message twice is stored once', async () => {
  const body = { batch: [{ type: 'track', userId: 'twice', event: 'Product Clicked', messageId: 'm-1' }] }
  for (let i = 0; i < 2; ++i) assert.equal((await server.call('POST', '/v1/batch', { key: KEYS.write, body })).status, 200)
  assert.equal((await server.events('twice')).length, 1)
})
