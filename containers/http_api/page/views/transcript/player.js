/** Plays a recording: the file that was given, or else the service's address of it, which is asked for again once it ran out. */

import { Problem, ask } from '../../core/api.js'

/** @import { Item, Page } from '../../core/types' */

const SKIP_S = 5

/** @param {Item} item @param {Page} page */
export function makePlayer(item, page) {
  const media = document.createElement('video') // plays sound as well; only the content says whether there are pictures
  media.preload = 'metadata'
  media.playsInline = true
  /** @type {Set<(time: number) => void>} */
  const watchers = new Set()
  /** @type {Set<() => void>} */
  const listeners = new Set()
  let address = ''
  let expires = 0
  let wanted = 0 // where to go on, while nothing can be played
  let asked = false // to play
  let frame = 0

  const player = {
    media,
    /** @type {'closed' | 'opening' | 'open' | 'gone' | 'odd'} `gone`: there is no recording; `odd`: this browser cannot play it */
    state: 'closed',
    /** Whether it has pictures. */
    film: false,
    get time() {
      return player.state === 'open' ? media.currentTime : wanted
    },
    get duration() {
      return Number.isFinite(media.duration) ? media.duration : (item.made?.duration ?? 0)
    },
    /** @param {(time: number) => void} watcher called for each frame while it plays, and after each jump */
    watch(watcher) {
      watchers.add(watcher)
      watcher(player.time)
      return () => void watchers.delete(watcher)
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    open() {
      if (player.state !== 'closed') return
      const file = page.queue.given(item.id)
      if (file) use(URL.createObjectURL(file), Infinity)
      else fetchAddress()
    },
    close() {
      player.pause()
      media.removeAttribute('src')
      if (address.startsWith('blob:')) URL.revokeObjectURL(address)
      player.state = 'closed'
    },
    /** Whether it plays, or will once it can. */
    get plays() {
      return player.state === 'open' ? !media.paused : asked
    },
    play() {
      if (player.state === 'gone' || player.state === 'odd') return
      asked = true
      if (player.state === 'open') media.play().catch(() => undefined) // a pause that comes first is no fault
      else player.open()
      changed()
    },
    pause() {
      asked = false
      media.pause()
      changed()
    },
    toggle: () => (player.plays ? player.pause() : player.play()),
    /** @param {number} time seconds @param {boolean} [play] */
    jump(time, play) {
      wanted = Math.max(0, player.duration ? Math.min(time, player.duration) : time)
      if (player.state === 'open') media.currentTime = wanted
      tell()
      if (play) player.play()
    },
    /** @param {number} direction */
    skip: (direction) => player.jump(player.time + direction * SKIP_S),
  }
  const changed = () => listeners.forEach((each) => each())
  const tell = () => watchers.forEach((each) => each(player.time))

  /** @param {string} url @param {number} until ms */
  function use(url, until) {
    address = url
    expires = until
    player.state = 'opening'
    media.src = url
    changed()
  }

  async function fetchAddress() {
    player.state = 'opening'
    changed()
    try {
      const { url, expires_at: at } = await ask('GET', `/jobs/${item.job ?? item.upload}/source`)
      use(url, Date.parse(at))
    } catch (error) {
      player.state = error instanceof Problem && error.status === 404 ? 'gone' : 'closed'
      asked = false
      page.queue.heed(error)
      changed()
    }
  }

  media.addEventListener('loadedmetadata', () => {
    player.state = 'open'
    player.film = media.videoWidth > 0
    if (wanted) media.currentTime = wanted
    if (asked) player.play()
    changed()
    tell()
  })
  media.addEventListener('error', () => {
    if (player.state === 'closed') return
    if (Date.now() >= expires) return fetchAddress()
    asked = false
    player.state = 'odd'
    changed()
  })
  const note = () => {
    if (player.state === 'open') wanted = media.currentTime
    tell()
  }
  const follow = () => {
    note()
    frame = media.paused ? 0 : requestAnimationFrame(follow)
  }
  media.addEventListener('play', () => {
    frame ||= requestAnimationFrame(follow)
    changed()
  })
  for (const each of ['pause', 'ratechange']) media.addEventListener(each, changed)
  for (const each of ['timeupdate', 'seeked']) media.addEventListener(each, note) // also where no frame is drawn
  media.addEventListener('ended', () => (asked = false))
  return player
}
/** @typedef {ReturnType<typeof makePlayer>} Player */
