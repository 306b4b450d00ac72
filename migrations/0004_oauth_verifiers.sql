CREATE TABLE `oauth_verifiers` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`client` text NOT NULL,
	`state` text NOT NULL,
	`sealed` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `oauth_verifiers_client` ON `oauth_verifiers` (`client`);
--> statement-breakpoint
UPDATE `oauth_challenges` SET `created_at` = unixepoch() * 1000;
