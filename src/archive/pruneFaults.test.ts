/** K8, K11, K12: a prune on a storage that fails at the Nth operation, for every N: what is listed is there, and what was left is removed later. */
import { describe, expect, it } from 'vitest';
import { checkListed } from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { GRACE_MS, fill, lab, sumsAgree, type Lab } from '../../test/pruneLab.js';
import { LivetapeError } from '../base/index.js';
import { createMemoryStorage } from '../storage/index.js';
import type { ArchiveWriter } from './index.js';

const CODES: Readonly<Record<string, string>> = {
  EIO: 'STORAGE_FAILED',
  EMFILE: 'STORAGE_FAILED',
  ENOSPC: 'DISK_FULL',
  EROFS: 'STORAGE_UNWRITABLE',
};

describe('a fault at every operation of a prune', () => {
  it.each(Object.keys(CODES))('leaves an archive that is right: %s', async (errno) => {
    /** Prunes twice, records, prunes what has ended; with the graces passed. */
    const script = async (at: Lab, archive: ArchiveWriter): Promise<LivetapeError[]> => {
      const failures: LivetapeError[] = [];
      const tryTo = async (step: () => Promise<unknown>): Promise<void> => {
        const failed = failures.length;
        await step().catch((error: unknown) => {
          if (!(error instanceof LivetapeError)) throw error;
          failures.push(error);
        });
        // Of an entry whose append failed any part may stand there until the next.
        if (step !== append || failures.length === failed) await at.watch.look();
        await checkListed(at.place);
      };
      const append = (): Promise<void> => fill(archive, 1, 1);
      await tryTo(() => archive.prune({ maxBytes: 15 * 376 }));
      await tryTo(append);
      await tryTo(() => archive.prune({ endedBeforeMs: archive.totals.startedAtMs! + 8000 }));
      await at.pass(GRACE_MS);
      await tryTo(() => archive.prune({ freeBytes: 376, atOnce: true }));
      await tryTo(() => archive.stop());
      await tryTo(() => archive.prune({ maxBytes: 5 * 376 }));
      await at.pass(GRACE_MS);
      await checkListed(at.place);
      return failures;
    };
    const prepare = async (): Promise<{ at: Lab; archive: ArchiveWriter; storage: ReturnType<typeof faultyStorage> }> => {
      const inner = createMemoryStorage();
      const storage = faultyStorage(inner);
      const at = lab(storage, inner);
      const archive = await at.open();
      await fill(archive, 20, 3);
      await archive.close();
      const again = await at.open();
      await at.watch.look();
      storage.operations.length = 0;
      return { at, archive: again, storage };
    };
    const counted = await prepare();
    expect(await script(counted.at, counted.archive)).toEqual([]);
    const operations = counted.storage.operations.map(({ name }) => name);
    expect(operations.filter((name) => name === 'replaceJournal').length).toBeGreaterThanOrEqual(4);
    expect(operations).toContain('remove');
    for (const how of ['before', 'half', 'after'] as const) {
      for (let number = 0; number < operations.length; number++) {
        try {
          const { at, archive, storage } = await prepare();
          storage.plan = { at: number, errno, how };
          const failures = await script(at, archive);
          expect(failures.map(({ code }) => code).filter((code) => code !== CODES[errno])).toEqual([]);
          storage.plan = undefined;
          await archive.close();
          // And it goes on; what was not removed is removed now.
          const after = await at.open();
          await fill(after, 2, 1);
          await at.watch.look();
          await after.prune({ maxBytes: 3 * 376 });
          await at.watch.look();
          await sumsAgree(at, after);
          await at.pass(GRACE_MS);
          const listed = await checkListed(at.place);
          const left = await at.files();
          for (const { uri } of listed) expect(left).toContain(uri);
          expect(left.filter((name) => Number.parseInt(name, 10) < listed[0]!.facts!.index)).toEqual([]);
          await after.close();
        } catch (error) {
          throw new Error(`${errno} ${how} operation ${number} (${operations[number]})`, { cause: error });
        }
      }
    }
  });
});
