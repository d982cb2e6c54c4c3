/** `completion`: the script a shell reads; it asks `tscompose __complete` for everything, so it never goes stale. */
import type { CommandSpec } from "../command.js";
import { printedText } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "completion",
  summary: "Print the shell completion script for bash, zsh or fish",
  example: "source <(tscompose completion bash)",
  args: [{ name: "bash|zsh|fish", required: true }],
  options: [],
  run: async (ctx, args) => {
    const script = SCRIPTS.get(args[0] ?? "");
    if (script === undefined) {
      throw usage(`no completion for shell "${args[0] ?? ""}"`, "use bash, zsh or fish");
    }
    ctx.print(printedText(script));
    return 0;
  },
};

/** `__complete` prints one candidate per line, a tab, its description; last a line `:files` or `:none`. */
const SCRIPTS = new Map([
  [
    "bash",
    `# tscompose completion for bash
_tscompose() {
  local line=\${COMP_LINE:0:COMP_POINT} cur keep= out item directive=:none
  local -a words=()
  # not COMP_WORDS: bash splits those at = and :
  read -ra words <<< "$line"
  case "$line" in *[[:space:]]) words+=("") ;; esac
  cur=\${words[\${#words[@]}-1]}
  out="$("\${COMP_WORDS[0]/#~/$HOME}" __complete -- "\${words[@]:1}" 2>/dev/null)" || return
  # readline replaces only what stands behind the last = or :
  case "$cur" in *[=:]*) keep=\${cur%"\${cur##*[=:]}"} ;; esac
  COMPREPLY=()
  while IFS= read -r item; do
    case "$item" in
      :*) directive=$item ;;
      *)
        item=\${item%%$'\\t'*}
        COMPREPLY+=("\${item#"$keep"}")
        ;;
    esac
  done <<< "$out"
  # as file names they are escaped, which candidates such as web: must not be
  [ "$directive" = :none ] || [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt -o filenames 2>/dev/null
  case "$directive" in
    :files) while IFS= read -r item; do COMPREPLY+=("$item"); done < <(compgen -f -- "\${cur#"$keep"}") ;;
    :dirs) while IFS= read -r item; do COMPREPLY+=("$item"); done < <(compgen -d -- "\${cur#"$keep"}") ;;
  esac
  case "\${COMPREPLY[*]-}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _tscompose tscompose docker-compose
`,
  ],
  [
    "zsh",
    `#compdef tscompose docker-compose
# tscompose completion for zsh
_tscompose() {
  local line directive=:none out
  local -a candidates open
  out="$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)" || return 1
  for line in "\${(@f)out}"; do
    case "$line" in
      :*) directive="$line" ;;
      *[=:]) open+=("$line") ;;
      *$'\\t'*) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      ?*) candidates+=("\${line//:/\\\\:}") ;;
    esac
  done
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  (( \${#candidates} )) && _describe 'tscompose' candidates
  case "$directive" in
    :files) _files ;;
    :dirs) _files -/ ;;
  esac
}
compdef _tscompose tscompose docker-compose
`,
  ],
  [
    "fish",
    `# tscompose completion for fish
function __tscompose_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l directive :none
  for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if string match -q ':*' -- $line
      set directive $line
    else
      printf '%s\\n' $line
    end
  end
  switch $directive
    case :files
      __fish_complete_path "$current"
    case :dirs
      __fish_complete_directories "$current"
  end
end
complete -c tscompose -f -a '(__tscompose_complete)'
complete -c docker-compose -f -a '(__tscompose_complete)'
`,
  ],
]);
