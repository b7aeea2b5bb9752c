#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two clients race for one answer while daemons, shims, agents and clients are killed. AMIKA_KILL_ROUNDS (default 200) says
# how often, AMIKA_KILL_SEED which and when.

load helper

setup() { helper_setup_file; }

@test "one answer is delivered, through SIGKILL at any moment: the one whose receipt said so" {
	local seed=${AMIKA_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
	echo "AMIKA_KILL_SEED=$seed"
	decision-race "${AMIKA_KILL_ROUNDS:-200}" "$seed" 2>/dev/null
}
