/** Makes the browser download an address, which says itself under which name. */

/** Begins a download; what becomes of it the browser shows. */
export function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
