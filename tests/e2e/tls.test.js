// HTTPS with clients of others: openssl, Node, the npm client of Segment; and with our own commands.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect as sealedConnect } from 'node:tls'
import { promisify } from 'node:util'
import { KEYS, startServer } from './server.js'

const BINARY = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'attune-tls-'))
const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
const run = promisify(execFile)
let server, ca

function makeCertificate({ certificate, key } = files, days = 30) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', String(days), '-keyout', key, '-out', certificate], { stdio: 'ignore' })
}
const port = () => Number(new URL(server.url).port)
const attune = (args, env = {}) => run(BINARY, args, { env: { ...process.env, ATTUNE_ADMIN_KEY: KEYS.admin, ...env } })

before(async () => {
  makeCertificate()
  ca = readFileSync(files.certificate)
  server = await startServer({ more: ['--tls-cert', files.certificate, '--tls-key', files.key], ca })
})
after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a request over https is answered as over http', async () => {
  assert.ok(server.url.startsWith('https://'))
  const stored = await server.call('POST', '/v1/track', { key: KEYS.write, body: { userId: 'ann', event: 'Post Liked' } })
  assert.equal(stored.status, 200)
  assert.equal((await server.events('ann')).length, 1)
})

test('@segment/analytics-node, told of the certificate by NODE_EXTRA_CA_CERTS', async () => {
  const said = await run(process.execPath, ['--input-type=module', '-e', `
    import { Analytics } from '@segment/analytics-node'
    const client = new Analytics({ writeKey: '${KEYS.write}', host: '${server.url}', flushAt: 1 })
    client.on('error', (error) => { console.error(error); process.exit(1) })
    client.track({ userId: 'seg', event: 'Post Liked' })
    await client.closeAndFlush()`],
  { cwd: import.meta.dirname ?? new URL('.', import.meta.url).pathname, env: { ...process.env, NODE_EXTRA_CA_CERTS: files.certificate } })
  assert.equal(said.stderr, '')
  assert.equal((await server.events('seg')).length, 1)
})

test('our commands speak https, and check whom they speak to', async () => {
  const url = server.url.replace('127.0.0.1', 'localhost')
  for (const name of [url, server.url]) {
    const { stdout } = await attune(['person', 'ann', '--server', name, '--json'], { SSL_CERT_FILE: files.certificate })
    assert.ok(JSON.parse(stdout), stdout)
  }
  await assert.rejects(attune(['person', 'ann', '--server', url]), /self-signed certificate/)
})

test('openssl: TLS 1.2 and 1.3, nothing older, http/1.1 alone', async () => {
  const hello = (...more) => new Promise((resolve) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port()}`, '-CAfile', files.certificate, ...more])
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part))
    child.on('close', () => resolve(text))
    child.stdin.end()
  })
  assert.match(await hello('-tls1_2', '-alpn', 'h2,http/1.1'), /ALPN protocol: http\/1\.1[^]*Verify return code: 0/)
  assert.match(await hello('-tls1_3'), /TLSv1\.3[^]*Verify return code: 0/)
  for (const old of ['-tls1', '-tls1_1']) {
    assert.match(await hello(old, '-cipher', 'DEFAULT@SECLEVEL=0'), /alert protocol version/)
  }
  assert.match(await hello('-tls1_2', '-cipher', 'AES128-SHA'), /handshake failure/)
})

test('plain http on this port is told so', async () => {
  const text = await new Promise((resolve, reject) => {
    const socket = connect(port(), '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'))
    let said = ''
    socket.on('data', (part) => (said += part)).on('end', () => resolve(said)).on('error', reject)
  })
  assert.match(text, /^HTTP\/1\.1 400 [^]*https_expected/)
})

test('a new certificate is taken up without dropping a connection', async () => {
  const open = await new Promise((resolve) => { const socket = sealedConnect({ port: port(), host: '127.0.0.1', ca }, () => resolve(socket)) })
  const serial = () => new Promise((resolve) => {
    const socket = sealedConnect({ port: port(), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
  })
  const old = await serial()
  makeCertificate()
  process.kill(server.pid, 'SIGHUP')
  let now = old
  for (let i = 0; i < 100 && now === old; ++i) {
    now = await serial()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.notEqual(now, old)
  const answer = await new Promise((resolve) => { open.on('data', (part) => resolve(String(part))); open.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n') })
  assert.match(answer, /^HTTP\/1\.1 200 /)
  open.destroy()
  // A broken one is not.
  writeFileSync(files.certificate, 'no certificate')
  process.kill(server.pid, 'SIGHUP')
  for (let i = 0; i < 100 && !server.said().includes('certificate_not_renewed'); ++i) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.match(server.said(), /certificate_not_renewed/)
  assert.equal(await serial(), now)
})

test('files that cannot serve are refused at the start, in words', async () => {
  const other = { certificate: join(folder, 'other.pem'), key: join(folder, 'other.key') }
  makeCertificate(other)
  const serve = (...more) => attune(['serve', '--workspace', join(folder, 'w'), '--listen', '127.0.0.1:0', ...more])
  await assert.rejects(serve('--tls-cert', other.certificate), /server\.tls_key is not set/)
  await assert.rejects(serve('--tls-cert', other.certificate, '--tls-key', files.key), /is not the key of/)
  await assert.rejects(serve('--tls-cert', other.certificate, '--tls-key', join(folder, 'none')), /cannot be read: No such file/)
})
