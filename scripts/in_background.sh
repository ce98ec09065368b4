# Source this file to run a function beside the commands of a script, in a process group of its own that a signal reaches as a whole.

# Start a function: in_background FUNCTION. What it prints is kept until wait_for_background shows it.
in_background() {
  background_log=$(mktemp)
  set -m
  "$1" >"$background_log" 2>&1 </dev/null &
  background=$!
  set +m
  trap end_background EXIT
}

end_background() {
  { set +x; } 2>/dev/null
  kill -INT -- "-$background" 2>/dev/null && wait "$background" || true
  rm -f "$background_log"
}

# Wait for the function, print what it printed, and return its exit status.
wait_for_background() {
  local status=0
  wait "$background" || status=$?
  cat "$background_log"
  return "$status"
}
