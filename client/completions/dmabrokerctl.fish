# Completion of dmabrokerctl for fish: the program itself knows what may come.
function __dmabrokerctl
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    $words[1] complete --word="$current" -- $words[2..] 2>/dev/null
end
complete --command dmabrokerctl --arguments '(__dmabrokerctl)'
