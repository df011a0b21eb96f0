#!/bin/sh
# HealthCheckProgram or Prolog of Slurm: drains a node that is not on EFA, with the step that failed as the reason.
#   slurm.conf:  HealthCheckProgram=/etc/slurm/efa-health-check.sh  HealthCheckInterval=300
# FABRIC_DOCTOR and SCONTROL name other programs; a prolog may give arguments, e.g. --for nccl.
doctor=${FABRIC_DOCTOR:-fabric-doctor}
scontrol=${SCONTROL:-scontrol}

report=$($doctor "$@")
case $? in
  0 | 1) exit 0 ;; # usable, or slower than it could be
  3) exit 0 ;;     # no node for EFA
  2) ;;
  *) exit 0 ;; # the doctor itself failed: no reason to take a node away
esac

reason=$(printf '%s\n' "$report" | sed -n 's/^First failing step: //p')
"$scontrol" update "NodeName=${SLURMD_NODENAME:-$(hostname -s)}" State=DRAIN "Reason=EFA: ${reason:-unusable}"
exit 1
