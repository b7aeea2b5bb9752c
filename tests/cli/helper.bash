# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A state folder of its own for a file of tests, and no daemon left behind.

bats_require_minimum_version 1.5.0

helper_setup_file() {
	export AMIKA_STATE_DIRECTORY
	AMIKA_STATE_DIRECTORY=$(mktemp -d "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/state.XXXXXX")
	export XDG_RUNTIME_DIR=
}

helper_teardown_file() { amikad stop; }
