# SPDX-License-Identifier: Apache-2.0
# fish completion for amika and amika-*: the program says what could follow. See --complete in amika(1).

function __amika_complete
    set -l words (commandline -opc)
    type -q $words[1]; or return
    set -l begun (commandline -ct)
    set -l lead (string match -r -- '^--[^=]*=' "$begun")
    set -l value (string replace -- "$lead" '' "$begun")
    for line in ($words[1] --complete -- $words[2..] "$begun" 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path "$value" | string replace -r -- '^' "$lead"
            case :directory
                __fish_complete_directories "$value" | string replace -r -- '^' "$lead"
            case '*'
                echo $line
        end
    end
end

for program in amika amika-run amika-session amika-send amika-events amika-decision amika-agent amika-hook amika-doctor amikad
    complete -c $program -f -a '(__amika_complete)'
end
