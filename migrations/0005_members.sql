CREATE TABLE `members` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`organization_id` integer NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`password_hash` text,
	`invitation_hash` text,
	`invitation_expires_at` integer,
	`last_seen_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_email_unique` ON `members` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `members_invitation_hash_unique` ON `members` (`invitation_hash`);--> statement-breakpoint
CREATE INDEX `members_organization` ON `members` (`organization_id`);--> statement-breakpoint
INSERT INTO `members` (`id`, `organization_id`, `email`, `role`, `password_hash`, `created_at`)
SELECT `id`, `organization_id`, `email`, 'owner', `password_hash`, `created_at` FROM `users`
WHERE `id` IN (SELECT min(`id`) FROM `users` WHERE `role` = 'admin' GROUP BY `organization_id`);
