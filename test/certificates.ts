/** Certificates of tests, made by openssl: for 127.0.0.1, signed by themselves. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './lab.js';

/** A pair of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes `NAME.crt` and `NAME.key` in a folder, in the place of those that are there. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  await output('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${key}.new`, '-out', `${cert}.new`],
  ]);
  await rename(`${cert}.new`, cert);
  await rename(`${key}.new`, key);
  return { cert, key };
}

/** The text of a certificate's file. */
export async function pem(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
