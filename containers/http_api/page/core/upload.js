/** Send one file with the form that the API gave. */

/** The form's answer did not come, or was a refusal: `code` is S3's name for it. */
export class Stopped extends Error {
  /** @param {string} code */
  constructor(code = '') {
    super(code)
    this.code = code
  }
}

/**
 * `fetch` does not say how much it has sent, so this is an XMLHttpRequest.
 * @param {{ url: string, fields: Record<string, string> }} form
 * @param {Blob} file
 * @param {string} name
 * @param {{ signal: AbortSignal, onSent: (share: number) => void }} watch
 * @returns {Promise<void>}
 */
export function sendForm(form, file, name, { signal, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', form.url)
    request.upload.onprogress = (event) => onSent(event.loaded / event.total)
    request.onload = () => {
      if (request.status < 300) resolve()
      else reject(new Stopped(/<Code>(\w+)</.exec(request.responseText)?.[1] ?? `${request.status}`))
    }
    request.onerror = () => reject(new Stopped())
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort())
    const data = new FormData()
    for (const [field, text] of Object.entries(form.fields)) data.append(field, text)
    data.append('file', file, name)
    request.send(data)
  })
}
