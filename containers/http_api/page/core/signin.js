/**
 * Sign in where the deployment asks for it: with a key, or at an OpenID Connect issuer (code flow with PKCE, RFC 7636).
 * Only this tab keeps what it was given: sessionStorage.
 */

import { html, render } from '../vendor/htm-preact.js'
import { t } from './i18n.js'
import { forget, forgetEdits, keptItems } from './keep.js'

/** @import { SignIn } from './types' */

/** `at` and `until` are in ms since 1970; `until` is 0 if the issuer does not say.
 * @typedef {{ access: string, refresh?: string, id?: string, at: number, until: number }} Held */

const HELD = 'matteline.signed-in'
const ASKED = 'matteline.asked'
const EARLY_MS = 30_000
const NEW_MS = 60_000 // a token that is refused so soon would be refused again

/** The issuer answered, and gave nothing. */
class Refused extends Error {}

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

/** @param {string} name */
const taken = (name) => JSON.parse(sessionStorage.getItem(name) ?? 'null')

/** @param {string} address @param {Record<string, string | undefined>} fields */
function withFields(address, fields) {
  const url = new URL(address)
  for (const [name, value] of Object.entries(fields)) if (value) url.searchParams.set(name, value)
  return url.href
}

/** @param {SignIn} config */
export async function makeSignIn(config) {
  /** @type {Held | null} */
  let held = taken(HELD)
  let trouble = ''
  /** @type {Promise<void> | null} */
  let renewing = null

  /** @param {Held | null} given */
  function hold(given) {
    held = given
    if (given) sessionStorage.setItem(HELD, JSON.stringify(given))
    else sessionStorage.removeItem(HELD)
  }

  /** @param {Record<string, string>} fields Raises Refused, or TypeError if the issuer does not answer. */
  async function fetchTokens(fields) {
    const body = new URLSearchParams({ client_id: config.client_id, ...fields })
    const answer = await fetch(config.token, { method: 'POST', body, credentials: 'omit' })
    if (answer.status >= 500) throw new TypeError()
    const { access_token: access, refresh_token: refresh = held?.refresh, id_token: id = held?.id, expires_in: lasts } =
      await answer.json().catch(() => ({}))
    if (!answer.ok || !access) throw new Refused()
    const at = Date.now()
    hold({ access, refresh, id, at, until: lasts ? at + lasts * 1000 : 0 })
  }

  /** Leave the page for the issuer's. What was asked is kept, to know the answer by it. */
  async function leave() {
    const [verifier, state] = [random(), random()]
    sessionStorage.setItem(ASKED, JSON.stringify({ verifier, state, hash: location.hash }))
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
    location.assign(
      withFields(config.authorize, {
        response_type: 'code', client_id: config.client_id, redirect_uri: config.redirect, scope: config.scope, state,
        code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: 'S256',
      }),
    )
  }

  /** Take the issuer's answer out of the address, if there is one. */
  async function arrive() {
    const given = new URLSearchParams(location.search)
    const state = given.get('state')
    if (!state) return
    const asked = taken(ASKED)
    history.replaceState(null, '', location.pathname + (asked?.hash ?? ''))
    sessionStorage.removeItem(ASKED)
    const code = given.get('code')
    if (state !== asked?.state || (given.get('iss') ?? config.issuer) !== config.issuer) trouble = t('signin.odd')
    else if (!code) trouble = t('signin.failed')
    else {
      await fetchTokens({
        grant_type: 'authorization_code', code, redirect_uri: config.redirect, code_verifier: asked.verifier,
      }).catch(() => (trouble = t('signin.failed')))
    }
  }

  /** Ask the user; nothing goes on before. At an issuer, that ends this page: it begins anew with an answer. */
  const prompt = () =>
    new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const dialog = document.createElement('dialog')
      dialog.className = 'signin'
      dialog.setAttribute('aria-label', t('signin'))
      dialog.addEventListener('cancel', (event) => event.preventDefault())
      dialog.addEventListener('close', () => dialog.isConnected && dialog.showModal())
      /** @param {SubmitEvent} event */
      function submit(event) {
        event.preventDefault()
        if (config.kind === 'tokens') return leave()
        const field = /** @type {HTMLInputElement} */ (dialog.querySelector('input'))
        const access = field.value.trim()
        if (!access) return
        hold({ access, at: Date.now(), until: 0 })
        dialog.remove()
        resolve()
      }
      render(
        html`<form onSubmit=${submit}>
          <h2>${t('signin')}</h2>
          ${trouble && html`<p role="alert">${trouble}</p>`}
          ${config.kind === 'key'
            ? html`<label>${t('signin.key')}
                <input type="password" autocomplete="off" spellcheck="false" autofocus required /></label>`
            : html`<p>${t('signin.why')}</p>`}
          <button class="btn primary" type="submit">${t('signin')}</button>
        </form>`,
        dialog,
      )
      document.body.append(dialog)
      dialog.showModal()
    })

  async function renew() {
    if (held?.refresh) {
      try {
        return await fetchTokens({ grant_type: 'refresh_token', refresh_token: held.refresh })
      } catch (error) {
        if (!(error instanceof Refused)) throw error
      }
    }
    if (held) trouble = t('signin.expired')
    hold(null)
    await prompt()
  }
  /** Many requests wait for one renewal. */
  const renewOnce = () => (renewing ??= renew().finally(() => (renewing = null)))

  const style = document.createElement('link')
  await new Promise((resolve) => {
    Object.assign(style, { rel: 'stylesheet', href: 'css/signin.css', onload: resolve, onerror: resolve })
    document.head.append(style)
  })
  await arrive()
  return {
    /** Return the header `authorization`, once the user has signed in. */
    async header() {
      if (!held || (held.until && held.until - EARLY_MS < Date.now())) await renewOnce()
      return `Bearer ${held?.access}`
    },
    /** @param {string} used The service refused a request with this header. */
    async refused(used) {
      if (used !== `Bearer ${held?.access}`) return // renewed meanwhile
      if (held && held.refresh && Date.now() - held.at > NEW_MS) return renewOnce()
      trouble = t('signin.refused')
      hold(null)
      await (renewing ??= prompt().then(() => {}).finally(() => (renewing = null)))
    },
    /** Forget the user here and at the issuer, and the list of their files. */
    async out() {
      const { refresh, id } = held ?? {}
      hold(null)
      for (const item of await keptItems()) await forget(item.id)
      forgetEdits()
      if (config.kind === 'key') return location.reload()
      if (config.revoke && refresh) {
        const body = new URLSearchParams({ token: refresh, client_id: config.client_id })
        await fetch(config.revoke, { method: 'POST', body, credentials: 'omit' }).catch(() => {})
      }
      const back = config.redirect // Cognito calls it `logout_uri`
      const fields = { client_id: config.client_id, id_token_hint: id, post_logout_redirect_uri: back, logout_uri: back }
      location.assign(config.end ? withFields(config.end, fields) : back)
    },
  }
}
