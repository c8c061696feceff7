// /openapi.json: clean under a linter, and true: every operation is called with its own example and
// answers as it says, by status and by schema.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { KEYS, startServer } from './server.js'

const HERE = dirname(fileURLToPath(import.meta.url))
const ajv = new Ajv({ strict: false, allErrors: true })
addFormats(ajv)
let server, document, operations
before(async () => {
  server = await startServer()
  document = (await server.call('GET', '/openapi.json')).json
  ajv.addSchema({ ...document, $id: 'openapi' })
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })))
})
after(() => server.stop())

const resolve = (node) => (node.$ref ? node.$ref.slice(2).split('/').reduce((at, part) => at[part], document) : node)

function check(ref, value, what) {
  const validate = ajv.compile({ $ref: 'openapi' + ref })
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`)
}

function checkAnswer(operation, answer) {
  const what = `${operation.method} ${operation.path} ${answer.status}`
  const documented = operation.responses[answer.status]
  assert.ok(documented, `${what} is not described: ${answer.text}`)
  const [type, content] = Object.entries(resolve(documented).content)[0]
  assert.ok(answer.headers['content-type'].startsWith(type), `${what}: ${answer.headers['content-type']}`)
  if (content.schema.$ref) check(content.schema.$ref, answer.json, what)
}

const exampleOf = (operation) => {
  const ref = operation.requestBody?.content['application/json'].schema.$ref
  return ref && resolve({ $ref: ref }).examples?.[0]
}
const pathOf = (operation, given = {}) =>
  operation.path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(given[name] ?? operation.parameters.find((p) => p.name === name).example))
const byId = (id) => operations.find((operation) => operation.operationId === id)

async function call(id, { key = KEYS.admin, body, given } = {}) {
  const operation = byId(id)
  const answer = await server.call(operation.method, pathOf(operation, given), { key, body: body ?? exampleOf(operation) })
  checkAnswer(operation, answer)
  return answer
}

test('the linter finds nothing to say', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-openapi-'))
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
  const linted = spawnSync(join(HERE, 'node_modules/.bin/spectral'),
    ['lint', '--fail-severity=hint', '--ruleset', join(HERE, '.spectral.json'), join(folder, 'openapi.json')], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  assert.equal(linted.status, 0, linted.stdout + linted.stderr)
})

test('every example of a body is what its schema says', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    for (const example of schema.examples ?? []) check(`#/components/schemas/${name}`, example, name)
  }
  for (const operation of operations) {
    if (operation.requestBody) assert.ok(exampleOf(operation), `${operation.operationId} has no example`)
  }
})

// A workspace of simulated visits, and in its folder of registered models two of its decisions.
function shopWithTwoModels(folder) {
  const run = (...args) => {
    const done = spawnSync(process.argv[2], [...args, '--json'], { encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    return JSON.parse(done.stdout)
  }
  const shop = join(folder, 'shop')
  run('start', '--impressions', '4000', '--workspace', shop)
  mkdirSync(join(shop, 'registry'), { recursive: true })
  const ids = ['ftrl', 'fm'].map((kind) => {
    const file = join(folder, `${kind}.attune`)
    const { id } = run('train', '--workspace', shop, '--kind', kind, '--output', file)
    renameSync(file, join(shop, 'registry', `${id}.model`))
    return id
  })
  const { key } = run('keys', 'create', 'test', '--workspace', shop, '--scope', 'admin',
    '--scope', 'decide', '--scope', 'read', '--scope', 'write')
  return { shop, ids, key }
}

// Through the life of a model with two versions.
async function callModels(first, second, good, call) {
  const about = { log_loss: 0.5 }
  assert.equal((await good('registerModel', { body: { name: 'ranker', id: first, about } })).json.version, 1)
  await good('registerModel', { body: { name: 'ranker', id: second } })
  assert.equal((await good('challengeModel', { body: { version: 1, share: 0 } })).json.challenger.version, 1)
  const canary = { version: 1, share: 0.1, promote_when_better: true }
  assert.equal((await good('challengeModel', { body: canary })).json.challenger.promote_when_better, true)
  assert.equal((await good('compareModel')).json.challenger, 1)
  assert.equal((await good('retireChallenger')).json.challenger, null)
  assert.equal((await good('promoteModel')).json.promoted, 2)
  assert.equal((await good('teachModel')).json.versions[1].is_learning, true)
  // It has something to keep when a click has been learned from, at the next tick.
  const placement = { model: 'ranker', control_share: 0, seen_window_s: 0 }
  await call('putPlacement', { given: { name: 'feed' }, body: placement })
  let kept
  for (let i = 0; i < 40 && !kept; ++i) {
    const made = (await call('decide', { body: { person: 'p0001', placement: 'feed', n: 5 } })).json
    const properties = { product_id: made.items[0].item_id, decision_id: made.decision_id }
    await call('track', { body: { userId: 'p0001', event: 'Product Clicked', properties } })
    await new Promise((done) => setTimeout(done, 300))
    kept = await good('keepModel').catch(() => null)
  }
  assert.equal(kept?.json.versions.at(-1).about.of, 2)
  assert.equal((await good('getModel')).json.versions.length, 3)
  await good('listModels')
  assert.equal((await good('rollBackModel')).json.promoted, null)
  assert.equal((await good('removeModelVersion')).json.versions.length, 2)
}

test('every operation answers its example with 200, as it says', async () => {
  const called = new Set()
  const good = async (id, options) => {
    const answer = await call(id, options)
    assert.equal(answer.status, 200, `${id}: ${answer.text}`)
    called.add(id)
    return answer
  }
  for (const id of ['putItems', 'putItem', 'getItem', 'putPlacement', 'getPlacement', 'listPlacements',
    'identify', 'track', 'page', 'screen', 'group', 'batch', 'import', 'alias', 'readBack']) await good(id)
  await good('readBack', { given: { part: 'traits' } })
  const decision = (await good('decide')).json.decision_id
  await good('explainDecision', { given: { id: decision } })
  await good('previewPlacement')
  const made = (await good('createKey')).json
  await good('listKeys')
  await good('revokeKey', { given: { id: made.id } })
  const folder = mkdtempSync(join(tmpdir(), 'attune-openapi-'))
  const { shop, ids: [first, second], key } = shopWithTwoModels(folder)
  const main = server
  server = await startServer({ place: ['--workspace', shop] })
  try {
    const withKey = (use) => (id, options) => use(id, { ...options, key })
    await callModels(first, second, withKey(good), withKey(call))
  } finally {
    await server.stop()
    server = main
    rmSync(folder, { recursive: true })
  }
  for (const id of ['showLearning', 'getPerson', 'exportPerson', 'unlinkPerson', 'deleteItem', 'erasePerson',
    'retainJournal', 'showMetrics', 'showHealth', 'showReady', 'showDescription']) await good(id)
  await good('makeBackup')
  assert.deepEqual([...called].sort(), operations.map((operation) => operation.operationId).sort())
})

test('every operation refuses as it says', async () => {
  for (const operation of operations) {
    const id = operation.operationId
    const secured = operation.security.length > 0
    if (secured) {
      assert.equal((await call(id, { key: 'guess' })).status, 401, id)
      const other = operation['x-scope'] === 'write' ? KEYS.api : KEYS.write
      assert.equal((await call(id, { key: other })).status, 403, id)
    }
    if (operation.requestBody) assert.equal((await call(id, { body: '{' })).status, 400, id)
    if (operation.responses[404]) {
      const given = Object.fromEntries(operation.parameters.map((p) => [p.name, 'none']))
      const answer = await call(id, { given })
      assert.ok([404, 200].includes(answer.status), `${id}: ${answer.text}`)
    }
  }
})
