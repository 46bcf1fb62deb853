/** api: the HTTP interface, as the page uses it. */
export { api, ApiError, clockOffsetMs, credentialHeaders, getJson, request, useCredential, whenRefused } from './client';
export { EventFeed } from './events';
export { sentence } from './sentence';
export * from './types';
export { archiveTsUrl, liveUrl, previewUrl, windowUrl, withToken } from './urls';
