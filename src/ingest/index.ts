export type { Source, SourceSink, SourceStats } from './source.js';
