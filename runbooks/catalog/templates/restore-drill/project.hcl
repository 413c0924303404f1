# Settings of the project. Everything runs on the control host here (the machine that runs continuo), so that it works as
# it stands. Hosts that are reached over SSH look like this:
#
#   host "db-b1" {
#     address = "10.2.0.11"
#     site    = "b"
#     connection { user = "recovery" }
#   }
#
# and items say hosts = host.db-b1.

project "restore-drill" {
  environment = "lab"
}

locals {
  backup = file("sample/orders.csv")
  orders = csvdecode(local.backup)
}
