# Completion of dmabrokerctl for bash: the program itself knows what may come.
_dmabrokerctl() {
  local words current
  # COMP_WORDS is split at the colons of --device; the line up to the cursor is not.
  read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
  [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=('')
  current=${words[-1]}
  mapfile -t COMPREPLY < <("${words[0]}" complete "--word=$current" -- "${words[@]:1:${#words[@]}-2}" 2>/dev/null)
  # What stands before the last colon is not part of the word that bash replaces.
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"${current%:*}:"}")
}
complete -o default -F _dmabrokerctl dmabrokerctl
