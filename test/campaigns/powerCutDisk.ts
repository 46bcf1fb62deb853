/**
 * A disk whose power can be cut: an ext4 image on a loop device, mounted in a temporary folder of its own. The cut is the file system's own
 * shutdown ioctl with NOLOGFLUSH: from that moment on nothing more reaches the image, the journal's memory included, so what is found after the
 * next mount is what had been made durable (and what the kernel happened to have written by itself). A disk's own volatile cache is
 * not part of it: the image has every write that the kernel had handed over.
 *
 * Needs Linux, root, a loop device, mkfs.ext4 and perl (an essential package of Debian; it issues the ioctl).
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** /usr/sbin is not in everybody's path. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** EXT4_IOC_SHUTDOWN is _IOR('X', 125, __u32), EXT4_GOING_FLAGS_NOLOGFLUSH is 2. It is ready before it is needed, so the cut comes when it is asked for. */
const CUTTER = `
  $| = 1;
  sysopen(my $disk, $ARGV[0], 0) or die "open: $!\\n";
  print "ready\\n";
  <STDIN>;
  my $flags = pack('L', 2);
  ioctl($disk, 0x8004587d, $flags) or die "ioctl: $!\\n";
  print "cut\\n";`;

/** A disk that is mounted. `await using` unmounts it, detaches the loop device and removes the image. */
export interface LoopDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly folder: string;
  /** Makes ready to cut; the function it answers with cuts at once. */
  armed(): Promise<() => Promise<void>>;
  /** Unmounts it and mounts it again: the journal is replayed. Nobody may have a file of it open. */
  remount(): Promise<void>;
  /** What ext4 does of itself when it meets an error on the disk (errors=remount-ro): from now on it is read-only, whoever has files of it open. */
  breakDown(): Promise<void>;
}

/** Disks of this process that are mounted: what a process that is ended in the middle still has to unmount. */
const mounted = new Set<string>();
process.once('exit', () => {
  for (const folder of mounted) {
    try {
      execFileSync('umount', ['-l', folder], { env });
    } catch {
      // nothing more can be done in an exit handler
    }
  }
});

/** Makes a disk of so many MB, ext4 unless said otherwise, and mounts it. */
export async function loopDisk(megabytes: number): Promise<LoopDisk> {
  const place = await mkdtemp(join(tmpdir(), 'livetape-disk-'));
  const [image, folder] = [join(place, 'image'), join(place, 'mounted')];
  const mount = async (): Promise<void> => {
    // with -o loop the device is detached when it is unmounted
    await run('mount', ['-t', 'ext4', '-o', 'loop,nodev,nosuid,noexec', image, folder], { env });
    mounted.add(folder);
  };
  const unmount = async (): Promise<void> => {
    await run('umount', [folder], { env });
    mounted.delete(folder);
  };
  const dispose = async (): Promise<void> => {
    if (mounted.has(folder)) {
      await unmount().catch(async () => {
        await run('umount', ['-l', folder], { env });
        mounted.delete(folder);
      });
    }
    await rm(place, { recursive: true, force: true });
  };
  try {
    await mkdir(folder);
    await writeFile(image, '');
    await truncate(image, megabytes * 1024 * 1024);
    await run('mkfs.ext4', ['-q', '-F', image], { env });
    await mount();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    folder,
    armed: () => armCutter(folder),
    async remount() {
      await unmount();
      await mount();
    },
    async breakDown() {
      await run('mount', ['-o', 'remount,errors=remount-ro', folder], { env });
      const { stdout } = await run('findmnt', ['-n', '-o', 'SOURCE', folder], { env });
      const device = /^\/dev\/(loop\d+)$/.exec(stdout.trim())?.[1];
      // no other file system of this machine may ever be meant
      if (device === undefined) throw new Error(`${folder} is not on a loop device: ${stdout}`);
      await writeFile(`/sys/fs/ext4/${device}/trigger_fs_error`, 'livetape');
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function armCutter(folder: string): Promise<() => Promise<void>> {
  const perl = spawn('perl', ['-e', CUTTER, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(perl.stdout, 'data');
  return async () => {
    const closed = once(perl, 'close');
    perl.stdin.write('\n');
    const [status] = (await closed) as [number | null];
    if (status !== 0) throw new Error('the file system could not be shut down');
  };
}

/** Why there can be no such disk here; undefined when there can. */
export async function whyNoLoopDisk(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root, to mount a loop device';
  for (const [program, ...args] of [
    ['mkfs.ext4', '-V'],
    ['perl', '-e', '1'],
  ] as const) {
    const there = await run(program, [...args], { env }).then(
      () => true,
      () => false,
    );
    if (!there) return `needs ${program}`;
  }
  try {
    await using disk = await loopDisk(8);
    await (
      await disk.armed()
    )();
    return undefined;
  } catch (error) {
    return `needs a loop device with ext4 that can be mounted: ${String(error).trim()}`;
  }
}
