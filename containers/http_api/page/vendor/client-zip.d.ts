/** The part of client-zip that the page uses. */
export function downloadZip(files: AsyncIterable<{ name: string; input: Blob }>): Response
