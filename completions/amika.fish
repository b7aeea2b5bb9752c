# SPDX-License-Identifier: Apache-2.0
# fish completion for amika and amika-*: it asks the programs what could follow.

function __amika_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    if test (basename $program) = amika; and set -q words[1]
        set program $program-$words[1]
        set -e words[1]
    end
    if set -q words[1]; and $program --complete 2>/dev/null | string match -q -- "$words[1]"\t'*'
        set program $program $words[1]
    end
    $program --complete 2>/dev/null
end

for program in amika amika-run amika-session amika-send amika-events amika-decision amika-agent amika-doctor amikad
    complete -c $program -f -a '(__amika_complete)'
end
