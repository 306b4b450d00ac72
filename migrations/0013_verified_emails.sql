ALTER TABLE `users` ADD `email_verified_at` integer;--> statement-breakpoint
-- Open sign-up joins the first organization alone: users of others were made by those organizations' keys.
UPDATE `users` SET `email_verified_at` = `created_at`
  WHERE `role` = 'admin' OR `organization_id` <> (SELECT min(`id`) FROM `organizations`);
