// Package lab makes practice hosts: SSH servers inside this process, on loopback, each with a sandbox directory of its
// own. They need no root, no container and nothing installed but a POSIX shell, and they behave as a real host does
// where it matters for a drill: commands really run, by /bin/sh; stdout and stderr are separate; exit statuses, signals
// and environment rules are those of OpenSSH; and a lost connection kills nothing.
//
// A practice host is no security boundary. Its commands run as the user who started it, with that user's rights; the
// sandbox is only where they begin (HOME and working directory). Whoever may log in (the one key under the lab's
// directory) is that user anyway. Connections are accepted on loopback addresses only, and forwarded to loopback only.
//
// Which hosts of a project are practice hosts: those whose environment is "lab" and whose address is a loopback address
// or localhost (see ConfigOf). Both are required, so that neither a real host that someone labelled "lab" nor a real
// server that happens to listen on loopback is ever impersonated.
//
// Everything that a lab makes lies in one directory, by custom .lab in the project:
//
//	.gitignore           "*": nothing in here is ever committed, least of all the key
//	id_ed25519, .pub     the one key that may log in
//	known_hosts          the host keys, also merged into the project's known_hosts file
//	lab.json             the hosts, as the daemon was told
//	keys/NAME            host keys; they survive down and up, as a real host's do
//	hosts/NAME/          the sandboxes
//	lock, log            of the daemon; whoever holds the lock is it, and the file says its process id
//
// What a lab cannot do, because it has neither root nor a terminal: become another user, allocate a pty, sftp.
package lab
