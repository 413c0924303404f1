package hostshell

// bootText sets boot to something that changes with every boot, and init to the start time of process 1, which tells a
// recreated container. Builtins only where there is a /proc. The longest match
// of a pattern, which a name with a parenthesis needs, takes a shell a hundred times as long as the shortest.
const bootText = `boot=-; init=-
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot </proc/sys/kernel/random/boot_id
else boot=$(sysctl -n kern.boottime 2>/dev/null | tr -dc 0-9); [ -n "$boot" ] || boot=-; fi
if [ -r /proc/1/stat ] && read -r x </proc/1/stat; then
y=${x#*) }; case $y in *") "*) y=${x##*) };; esac
set -- $y; shift 19; init=$1; fi
`

// selfText sets P to the process that runs the text, a subshell too, and st to its start time, or -.
const selfText = `P=$$ st=-
if [ -r /proc/self/stat ] && read -r P x </proc/self/stat; then set -- ${x#*) }; shift 19; st=$1; fi
`

// stateDirText sets B to the state directory and makes it; why is not empty when it must not be used.
const stateDirText = `why=; B=${HOME:-/}/.continuo
case $B in //.continuo|/.continuo) B=;; esac
if [ -n "$B" ] && [ ! -d "$B" ]; then mkdir "$B" 2>/dev/null || [ -d "$B" ] || [ -L "$B" ] || B=; fi
if [ -z "$B" ]; then B=/var/tmp/.continuo-$(id -u); [ -d "$B" ] || mkdir "$B" 2>/dev/null; fi
if [ -L "$B" ]; then why="$B is a symbolic link"
elif [ ! -d "$B" ]; then why="$B cannot be made"
elif [ ! -O "$B" ]; then why="$B belongs to another user"
else case $(ls -ld "$B") in
d?????-??-*) ;;
d?????????*) why="$B can be written by others";;
*) why="$B is no directory";; esac; fi
`
