/** What to try when an operation over EFA has failed, in words of its operation. */

const SECURITY_GROUP =
  'The security groups of both instances have to let all traffic in and out, with themselves as source and destination; ' +
  'both instances have to be in one VPC and one availability zone.';
const GONE = 'Its process has ended or was killed, or its instance was stopped.';

/**
 * By the provider's number: up to 15 the status of a completion of the device, from 4096 on the provider's own (libfabric's
 * prov/efa/src/efa_errno.h). fi_cq_strerror(3) says what each is; these say what follows from it.
 */
const HINTS: Readonly<Record<number, string>> = {
  2: "The device has failed: see the kernel's log (dmesg).",
  4: 'The address handle (AH) of the peer is not there any more: was its address removed from the address vector?',
  5: 'The memory of this end (lkey) is not registered: was its MemoryRegion closed meanwhile?',
  6: 'It is longer than the buffer that was posted for it, or than the device takes at once: see epAttr.maxMsgSize.',
  7: "The peer's memory (rkey) is not what was asked for: its MemoryRegion was closed, ends earlier, or forbids this access.",
  8: 'The peer has reset the connection: its endpoint was closed, or its process has ended.',
  9: `The peer's endpoint (queue pair) does not exist any more: closed, or ${lowered(GONE)} After a restart it has another address.`,
  10: 'The peer has had no room to receive (RNR) for too long: it has to read its completion queue, or has stopped.',
  11: 'The memory that the peer has for it is too short.',
  12: 'The device of the peer has refused: compare the versions of libfabric and of the efa driver at both ends.',
  13: `The peer has answered before, and does not any more. ${GONE} Else a security group or network ACL has changed.`,
  14: 'The peer has no address handle (AH) for this end: it has to insert the address of this end into its address vector.',
  15: `The peer has never answered. ${SECURITY_GROUP}`,
  4111: 'A peer has asked for memory (rkey) of this end that is not registered, and does not learn that: its operation never ends.',
  4112: 'Memory cannot be locked: `ulimit -l` has to be `unlimited`.',
  4124: `The peer has answered before, and does not any more. ${GONE} Else a security group or network ACL has changed.`,
  4126: `The peer's device is there, and nobody answers for it. ${GONE} ${SECURITY_GROUP}`,
};

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/**
 * Errors without an operation that are those of this end, not of one peer: the device's status of a receive, and what the
 * provider runs out of.
 */
const LOCAL = [1, 2, 3, 4, 5, 6, 4105, 4108, 4112];

/** @internal Whether an error without an operation means that an endpoint of efa has failed: it receives no more. */
export const isEfaEndpointFailure = (providerErrno: number): boolean => LOCAL.includes(providerErrno);

/** @internal What to try after an error of the efa provider. */
export const efaHint = (providerErrno: number): string | undefined => HINTS[providerErrno];
