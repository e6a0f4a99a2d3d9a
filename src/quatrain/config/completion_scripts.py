"""What a shell reads to complete ``quatrain``: it asks the program itself, and takes files where that has no answer."""

BASH = """\
_quatrain() {
    local line=${COMP_LINE:0:COMP_POINT} reply word cut
    word=${line##*[[:space:]]}
    # bash hands over only what follows the last = or : of the word, so only that may be answered
    if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then cut=${word%"${word##*=}"}; fi
    if [[ $COMP_WORDBREAKS == *:* && ${word#"$cut"} == *:* ]]; then cut=${word%"${word##*:}"}; fi
    COMPREPLY=()
    while IFS= read -r reply; do
        reply=${reply#"$cut"}
        case $reply in
            *[\\ \\'\\"\\&\\;\\(\\)\\<\\>\\|\\$\\`\\*\\?\\[]*) printf -v reply %q "$reply" ;;
        esac
        case $reply in
            *[=./,]) type compopt >/dev/null 2>&1 && compopt -o nospace 2>/dev/null ;;
        esac
        COMPREPLY+=("$reply")
    done < <(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT "${COMP_WORDS[0]}" -sc query=bash 2>/dev/null)
    # a value of which nothing is typed is no file, for keys that take one have answers
    if [[ ${#COMPREPLY[@]} == 0 && $word == *= ]] && type compopt >/dev/null 2>&1; then
        compopt +o bashdefault +o default 2>/dev/null
    fi
}
complete -o bashdefault -o default -F _quatrain quatrain
"""
ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
_quatrain() {
    local answer value
    local -a open opensay closed closedsay
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    while IFS= read -r answer; do
        value=${answer%%$'\\t'*}
        if [[ $value == *[=./,] ]]; then
            open+=("$value") opensay+=("${answer/$'\\t'/  -- }")
        else
            closed+=("$value") closedsay+=("${answer/$'\\t'/  -- }")
        fi
    done < <(COMP_LINE=$line $words[1] -sc query=zsh 2>/dev/null)
    (( $#open + $#closed )) || { _files; return }
    (( $#open )) && compadd -S '' -l -d opensay -a open
    (( $#closed )) && compadd -l -d closedsay -a closed
    return 0
}
compdef _quatrain quatrain
"""
FISH = """\
function __quatrain_complete
    set -lx COMP_LINE (commandline -cp)
    set -l answers (quatrain -sc query=fish 2>/dev/null)
    if test (count $answers) -gt 0
        printf '%s\\n' $answers
    else if not string match -q '*=' -- (commandline -ct)
        __fish_complete_path (commandline -ct)
    end
end
complete -c quatrain -e
complete -c quatrain -f -a '(__quatrain_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
UNINSTALL = {
    "bash": "complete -r quatrain\nunset -f _quatrain\n",
    "zsh": "compdef -d quatrain\nunfunction _quatrain\n",
    "fish": "complete -c quatrain -e\nfunctions -e __quatrain_complete\n",
}
