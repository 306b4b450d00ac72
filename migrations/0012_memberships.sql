CREATE TABLE `__old_members` AS SELECT * FROM `members`;--> statement-breakpoint
CREATE TABLE `__old_sessions` AS SELECT * FROM `member_sessions`;--> statement-breakpoint
CREATE TABLE `__old_totp` AS SELECT * FROM `member_totp`;--> statement-breakpoint
CREATE TABLE `__old_recovery_codes` AS SELECT * FROM `member_recovery_codes`;--> statement-breakpoint
DROP TABLE `member_sessions`;--> statement-breakpoint
DROP TABLE `members`;--> statement-breakpoint
CREATE TABLE `members` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`email` text NOT NULL,
	`password_hash` text,
	`reset_hash` text,
	`reset_expires_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_email_unique` ON `members` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `members_reset_hash_unique` ON `members` (`reset_hash`);--> statement-breakpoint
CREATE INDEX `members_folded_email` ON `members` (lower(trim("email")));--> statement-breakpoint
INSERT INTO `members` (`id`, `email`, `password_hash`, `reset_hash`, `reset_expires_at`, `created_at`)
SELECT `id`, `email`, `password_hash`, iif(`password_hash` IS NULL, NULL, `invitation_hash`),
	iif(`password_hash` IS NULL, NULL, `invitation_expires_at`), `created_at` FROM `__old_members`;--> statement-breakpoint
DELETE FROM `member_totp`;--> statement-breakpoint
INSERT INTO `member_totp` SELECT * FROM `__old_totp`;--> statement-breakpoint
DELETE FROM `member_recovery_codes`;--> statement-breakpoint
INSERT INTO `member_recovery_codes` SELECT * FROM `__old_recovery_codes`;--> statement-breakpoint
CREATE TABLE `memberships` (
	`organization_id` integer NOT NULL,
	`member_id` integer NOT NULL,
	`role` text NOT NULL,
	`joined_at` integer,
	`invitation_hash` text,
	`invitation_expires_at` integer,
	`last_seen_at` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `member_id`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`member_id`) REFERENCES `members`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `memberships_invitation_hash_unique` ON `memberships` (`invitation_hash`);--> statement-breakpoint
CREATE INDEX `memberships_member` ON `memberships` (`member_id`);--> statement-breakpoint
INSERT INTO `memberships` (`organization_id`, `member_id`, `role`, `joined_at`, `invitation_hash`, `invitation_expires_at`, `last_seen_at`, `created_at`)
SELECT `organization_id`, `id`, `role`, iif(`password_hash` IS NULL, NULL, `created_at`), iif(`password_hash` IS NULL, `invitation_hash`, NULL),
	iif(`password_hash` IS NULL, `invitation_expires_at`, NULL), `last_seen_at`, `created_at` FROM `__old_members`;--> statement-breakpoint
CREATE TABLE `member_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`member_id` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`token_hash` text NOT NULL,
	`address` text NOT NULL,
	`user_agent` text NOT NULL,
	`created_at` integer NOT NULL,
	`seen_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`,`member_id`) REFERENCES `memberships`(`organization_id`,`member_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `member_sessions_token_hash_unique` ON `member_sessions` (`token_hash`);--> statement-breakpoint
CREATE INDEX `member_sessions_member` ON `member_sessions` (`member_id`);--> statement-breakpoint
CREATE INDEX `member_sessions_organization` ON `member_sessions` (`organization_id`,`member_id`);--> statement-breakpoint
INSERT INTO `member_sessions` (`id`, `member_id`, `organization_id`, `token_hash`, `address`, `user_agent`, `created_at`, `seen_at`)
SELECT s.`id`, s.`member_id`, m.`organization_id`, s.`token_hash`, s.`address`, s.`user_agent`, s.`created_at`, s.`seen_at`
FROM `__old_sessions` AS s JOIN `__old_members` AS m ON m.`id` = s.`member_id`;--> statement-breakpoint
DROP TABLE `__old_totp`;--> statement-breakpoint
DROP TABLE `__old_recovery_codes`;--> statement-breakpoint
DROP TABLE `__old_sessions`;--> statement-breakpoint
DROP TABLE `__old_members`;
