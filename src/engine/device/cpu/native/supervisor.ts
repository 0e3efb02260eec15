// A compiler must not outlive the process that called it, however that one ends: by itself, by a signal, or killed. Nothing
// runs in a process that is killed, and its signals are the user's. So a shell stands between: it reads from a pipe that
// only this process holds open, and when the pipe ends, it ends the compiler and all that the compiler has started.
// The shell is to be started detached (in a process group of its own, which what the user types does not reach) and with a
// pipe as file 3. It gives on the command's exit code; a signal n is 128 + n.

const SCRIPT = `
leftover=$1; shift
( read -r _ <&3; trap '' TERM; kill -TERM 0; sleep 1; rm -f "$leftover"; kill -KILL 0 ) &
nice -n 10 "$@" 3<&-
status=$?
{ kill $!; wait $!; } 2>/dev/null
exit $status`;

/** What comes before a file that is removed if the command is ended, and the command. It runs below normal priority. */
export const SUPERVISOR: readonly string[] = ['/bin/sh', '-c', SCRIPT, 'sh'];
