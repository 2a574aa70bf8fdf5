/** The files of a transcript: the service's, byte for byte, or written anew with the user's corrections and names. */

import { resultOf } from '../../core/results.js'
import { transcriptOf } from './document.js'
import { hasEdits, makeEdits } from './edits.js'
import { FORMATS } from './formats.js'
import { makeNames } from './names.js'
import { jobOf, openSession } from './session.js'

/** @import { Item, Page, ResultFile } from '../../core/types' */
/** @import { Version } from './formats.js' */

/** @param {Item} item @param {Page} page @returns {Promise<Version | undefined>} none if the user changed nothing */
async function changed(item, page) {
  const open = openSession(item)
  const told = item.results?.some(({ kind }) => kind === 'speakers')
  if (!open?.transcript && !told && !hasEdits(jobOf(item))) return undefined
  const transcript = open?.transcript ?? (await transcriptOf(page.store, item))
  const { texts, any } = open?.edits ?? makeEdits(jobOf(item), transcript.digest, transcript.words)
  const names = open?.named ? open.names : transcript.speakers.length ? await makeNames(item).load() : {}
  return any || transcript.speakers.some((each) => names[each]) ? { transcript, texts, names } : undefined
}

/** @param {Item} item @param {Page} page @param {ResultFile} result @returns {Promise<File>} */
export async function fileOf(item, page, { kind = '', name, media_type: type }) {
  const version = kind in FORMATS ? await changed(item, page) : undefined
  const blob = await resultOf(page.store, item, kind)
  return new File([version ? FORMATS[kind](version, await blob.text()) : blob], name, { type })
}

/** @param {Item} item @param {Page} page @returns {Promise<File[]>} */
export const allOf = (item, page) => Promise.all((item.results ?? []).map((each) => fileOf(item, page, each)))
