export { probeSource, type ProbeOptions, type ProbeReport } from './probe.js';
export { probeJson } from './probeJson.js';
