/**
 * Fuzz tests draw from one seed in `npm test`, so that a change is judged by what it does and not by what was drawn. `npm run campaign:fuzz`
 * draws anew each time; what it finds becomes a fixture.
 */
import fc from 'fast-check';

if (process.env['LIVETAPE_FUZZ'] !== '1') fc.configureGlobal({ seed: 20261122 });
