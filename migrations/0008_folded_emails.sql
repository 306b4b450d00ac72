CREATE INDEX `members_folded_email` ON `members` (lower(trim("email")));--> statement-breakpoint
CREATE INDEX `users_folded_email` ON `users` (lower(trim("email")));--> statement-breakpoint
CREATE INDEX `users_folded_username` ON `users` (lower(trim("username")));