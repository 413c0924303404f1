# Settings stand in one project block; a connection there is the default of all hosts.
project "payments" {
  required_version = ">= 0.1, < 99"
  environment      = "staging"
  timezone         = "Europe/London"
  known_hosts      = "known_hosts"
  allowed_signers  = "allowed_signers"
  connection {
    user            = "recovery"
    connect_timeout = "10s"
  }
}
