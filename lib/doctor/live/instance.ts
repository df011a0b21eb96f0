/** What the instance metadata service says: for `--imds`, where the firmware tables cannot be read. */
import type { InstanceAnswer } from '../host.js';

const SERVICE = 'http://169.254.169.254';
const TIMEOUT = 2000;
const TOKEN_SECONDS = '60';

/** Asks for the type and the id, by IMDSv2; at AWS_EC2_METADATA_SERVICE_ENDPOINT where that is set. Never fails. */
export async function askInstance(): Promise<InstanceAnswer> {
  const service = (process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? SERVICE).replace(/\/$/, '');
  const ask = async (path: string, method: string, headers: Record<string, string>): Promise<string> => {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(`${service}/latest/${path}`, { method, headers, signal });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return (await response.text()).trim();
  };
  try {
    const token = await ask('api/token', 'PUT', { 'X-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS });
    const headers = { 'X-aws-ec2-metadata-token': token };
    const [type, id] = await Promise.all([
      ask('meta-data/instance-type', 'GET', headers),
      ask('meta-data/instance-id', 'GET', headers),
    ]);
    return { type, id };
  } catch (error) {
    const reason =
      error instanceof Error && error.message.startsWith('it answers') ? error.message : 'it does not answer';
    return { error: `${reason}; from a container its hop limit has to be 2 or more` };
  }
}
