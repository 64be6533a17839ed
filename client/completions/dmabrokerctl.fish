# Completion of dmabrokerctl for fish: the program itself knows what may come, and says nothing where a file may.
function __dmabrokerctl
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l candidates ($words[1] complete --word="$current" -- $words[2..] 2>/dev/null)
    if set -q candidates[1]
        printf '%s\n' $candidates
    else
        __fish_complete_path $current
    end
end
complete --command dmabrokerctl --no-files --arguments '(__dmabrokerctl)'
