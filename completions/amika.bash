# SPDX-License-Identifier: Apache-2.0
# bash completion for amika and amika-*: the program says what could follow. See --complete in amika(1).

_amika() { # PROGRAM BEGUN BEFORE, as bash calls it
	local program=${1/#\~\//$HOME/} begun=${2-} word i line lead=
	local -a words=()
	COMPREPLY=()
	# bash takes "--agent=claude" for three words.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i == COMP_CWORD)) && [ "$word" != = ]; then word=$begun; fi
		if ((${#words[@]})) && [[ ${words[-1]} == --* && (${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == =) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	[[ ${words[-1]} != --*=* ]] || lead=${words[-1]%%=*}=
	while IFS= read -r line; do
		case $line in
		:file) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- "$begun") ;;
		:directory) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -d -- "$begun") ;;
		*) word=${line%%$'\t'*} && COMPREPLY+=("${word#"$lead"}") ;;
		esac
	done < <("$program" --complete -- "${words[@]}" 2>/dev/null)
}

complete -F _amika amika amika-run amika-session amika-send amika-events amika-decision amika-agent amika-hook amika-doctor amikad
