# SPDX-License-Identifier: Apache-2.0
# bash completion for amika and amika-*: it asks the programs what could follow.

_amika_words() { # PROGRAM [VERB]: what could follow, words only
	"$@" --complete 2>/dev/null | cut -f 1
}

_amika() {
	local cur=${COMP_WORDS[COMP_CWORD]} first=1
	local -a command=("${COMP_WORDS[0]}")
	COMPREPLY=()
	if [ "${command[0]##*/}" = amika ] && [ "$COMP_CWORD" -gt 1 ]; then
		command=("${command[0]}-${COMP_WORDS[1]}")
		first=2
	fi
	# A verb, where the program has any.
	if [ "$COMP_CWORD" -gt "$first" ] && _amika_words "${command[@]}" | grep -qx -- "${COMP_WORDS[first]}"; then
		command+=("${COMP_WORDS[first]}")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$(_amika_words "${command[@]}")" -- "$cur")
	[ "${#COMPREPLY[@]}" -gt 0 ] || compopt -o default 2>/dev/null
}

complete -F _amika amika amika-run amika-session amika-send amika-events amika-decision amika-agent amika-doctor amikad
