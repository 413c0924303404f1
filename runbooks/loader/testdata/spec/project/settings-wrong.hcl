project "payments" {
  required_version = "latest"    # want CON-P002 "is not understood"
  environment      = "live"      # want CON-S023 "cannot be"
  timezone         = "Mars/Base" # want CON-P003 "there is no time zone"
  known_hosts      = "/etc/ssh/ssh_known_hosts" # want CON-P004 "lies outside the project"
  allowed_signers  = 7           # want CON-S022 "is a text, not number"
  connection {
    user            = "-oProxyCommand=sh" # want CON-S030 "is no user name"
    port            = 0                   # want CON-S026 "not from 1 to 65535"
    connect_timeout = "10"                # want CON-S024 "is a duration"
    keepalive       = "800h"              # want CON-S026 "not from"
    max_sessions    = 2.5                 # want CON-S022 "is a whole number"
    plain           = "yes"               # want CON-S022 "is true or false"
    identity_files  = "~/.ssh/id"         # want CON-S022 "is a list of texts"
  }
}

project "again" {} # want CON-S040 "declared twice"
