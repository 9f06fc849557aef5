/** Where the relay listens for programs of sshd, unless `listen.ssh.socket` says otherwise. */
export const SUBMIT_SOCKET = '/run/mailcanary/ssh/submit.sock'
