// A real `attune serve` on a free port of loopback, in a workspace of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as sealedRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KEYS = { write: 'write-key-of-the-test', api: 'api-key-of-the-test', admin: 'admin-key-of-the-test' }

// place: arguments that say what to serve, instead of a new workspace; ca: the certificate to trust.
export async function startServer({ binary = process.argv[2], place, more = [], ca } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-e2e-'))
  const child = spawn(binary, ['serve', ...(place ?? ['--workspace', join(folder, 'workspace')]), ...more, '--listen', '127.0.0.1:0',
    '--set', `api.backup_folder=${join(folder, 'backups')}`], {
    env: { ...process.env, ATTUNE_WRITE_KEY: KEYS.write, ATTUNE_API_KEY: KEYS.api, ATTUNE_ADMIN_KEY: KEYS.admin },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (text) => {
      said += text
      const found = said.match(/serving .* on (https?:\/\/\S+)/)
      if (found) resolve(found[1])
    })
    child.on('exit', (code) => reject(new Error(`attune serve ended with ${code}: ${said}`)))
  })
  const request = url.startsWith('https:') ? sealedRequest : plainRequest
  const server = {
    url,
    pid: child.pid,
    workspace: join(folder, 'workspace'),
    said: () => said,
    // {status, headers, text, json}; `key` goes as Basic user name, as Segment's clients do.
    call(method, path, { key, body, headers = {} } = {}) {
      const all = { ...headers }
      if (key) all.Authorization = 'Basic ' + Buffer.from(key + ':').toString('base64')
      const data = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      if (data !== undefined && !Object.keys(all).some((name) => name.toLowerCase() === 'content-type')) {
        all['Content-Type'] = 'application/json'
      }
      // Node frames no body of a GET or DELETE by itself: its bytes would be read as the next request.
      if (data !== undefined) all['Content-Length'] = Buffer.byteLength(data)
      return new Promise((resolve, reject) => {
        const sent = request(url + path, { method, headers: all, ca }, (answer) => {
          let text = ''
          answer.on('data', (part) => (text += part))
          answer.on('end', () => {
            let json
            try { json = JSON.parse(text) } catch { json = undefined }
            resolve({ status: answer.statusCode, headers: answer.headers, text, json })
          })
        })
        sent.on('error', reject)
        sent.end(data)
      })
    },
    async events(id, type = 'user_id') {
      const path = `/v1/spaces/shop/collections/users/profiles/${type}:${encodeURIComponent(id)}/events`
      return (await server.call('GET', path, { key: KEYS.api })).json.data
    },
    async traits(id, type = 'user_id') {
      const path = `/v1/spaces/shop/collections/users/profiles/${type}:${encodeURIComponent(id)}/traits`
      return (await server.call('GET', path, { key: KEYS.api })).json.data
    },
    async kill() {
      child.removeAllListeners('exit')
      const ended = new Promise((resolve) => child.on('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.removeAllListeners('exit')
      const ended = new Promise((resolve) => child.on('exit', resolve))
      child.kill('SIGTERM')
      const code = await ended
      rmSync(folder, { recursive: true, force: true })
      if (code !== 0) throw new Error(`attune serve ended with ${code}: ${said}`)
    },
  }
  return server
}
