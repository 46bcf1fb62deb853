/** ingest: a source URL becomes chunks of bytes and events of its connection; one folder per protocol. */
export type { OpenOptions, Source, SourceSink, SourceStats } from './source.js';
export { isLocalSource, openSource } from './registry.js';
export { redactUrl, sourceOptions, type SourceOptions } from './sourceUrl.js';
export { probeJson, probeSource, type ProbeOptions, type ProbeReport } from './probe/index.js';
