//! Laravel migrations: plain calls are judged as their SQL, everything else needs review.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_migrate_plan::{Class, Engine, Error, Migration};

fn migration(up: &str) -> String {
    format!(
        "<?php\n\nuse Illuminate\\Database\\Migrations\\Migration;\nuse Illuminate\\Support\\Facades\\Schema;\n\nreturn new class extends Migration\n{{\n    // up() {{ }}\n    public function up(): void\n    {{\n        {up}\n    }}\n\n    public function down(): void\n    {{\n        Schema::dropIfExists('down');\n    }}\n}};\n"
    )
}

fn classes(engine: Engine, up: &str) -> Vec<Class> {
    let read = Migration::read("m.php", &migration(up), engine).unwrap();
    read.steps.iter().map(|s| s.verdict.class).collect()
}

fn table(inner: &str) -> String {
    format!("Schema::table('users', function (Blueprint $table) {{ {inner} }});")
}

#[test]
fn calls_and_their_classes() {
    use Class::{Backfill, Blocking, Contract, Expand, Review};
    use Engine::{MySql, Postgres};
    for (engine, up, expected) in [
        (MySql, "Schema::create('a', function (Blueprint $table) { $table->id(); $table->string('x'); });".to_owned(), vec![Expand]),
        (MySql, "Schema::dropIfExists('a');".to_owned(), vec![Contract]),
        (MySql, "Schema::rename('a', 'b');".to_owned(), vec![Contract]),
        (MySql, table("$table->string('x')->nullable()->after('y');"), vec![Expand]),
        (MySql, table("$table->string('x', 40)->default('a');"), vec![Expand]),
        (MySql, table("$table->string('x');"), vec![Contract]),
        (MySql, table("$table->boolean('x')->default(false); $table->dropColumn(['a', 'b']);"), vec![Expand, Contract]),
        (MySql, table("$table->timestamps(); $table->softDeletes();"), vec![Expand, Expand]),
        (MySql, table("$table->renameColumn('a', 'b');"), vec![Contract]),
        (MySql, table("$table->string('x', 300)->change();"), vec![Review]),
        (MySql, table("$table->index(['a', 'b'], 'i');"), vec![Expand]),
        (Postgres, table("$table->index('a');"), vec![Blocking]),
        (Postgres, table("$table->string('x')->nullable()->unique()->index();"), vec![Blocking]),
        (Postgres, table("$table->unique('a');"), vec![Contract]),
        (MySql, table("$table->foreignId('team_id')->nullable()->constrained()->cascadeOnDelete();"), vec![Blocking]),
        (MySql, table("$table->foreign('a')->references('id')->on('b')->onDelete('cascade');"), vec![Contract]),
        (MySql, table("$table->dropForeign(['a']);"), vec![Expand]),
        (Postgres, table("$table->dropForeign(['a']);"), vec![Review]),
        (MySql, table("$table->uuid('x')->default(DB::raw('(uuid())'));"), vec![Blocking]),
        (MySql, table("$table->geometry('x');"), vec![Review]),
        (MySql, table("if (true) { $table->string('x')->nullable(); }"), vec![Review]),
        (MySql, "if (! Schema::hasColumn('a', 'b')) { Schema::table('a', function ($table) {}); }".to_owned(), vec![Review]),
        (MySql, "foreach (User::all() as $user) { $user->save(); }".to_owned(), vec![Review]),
        (MySql, "DB::statement('ALTER TABLE a ADD COLUMN b int'); DB::statement(\"UPDATE a SET b = 1 WHERE b IS NULL\");".to_owned(), vec![Expand, Backfill]),
        (MySql, "DB::statement(\"ALTER TABLE {$name} DROP COLUMN b\");".to_owned(), vec![Review]),
        (MySql, "DB::unprepared(<<<SQL\n  DROP TABLE a;\n  CREATE TABLE b (id int);\n  SQL);".to_owned(), vec![Contract, Expand]),
        (MySql, "DB::table('a')->where('x', 1)->update(['x' => 2]);".to_owned(), vec![Backfill]),
        (MySql, "DB::table('a')->insertOrIgnore([['x' => 2]]);".to_owned(), vec![Backfill]),
        (MySql, "DB::table('a')->truncate();".to_owned(), vec![Contract]),
        (MySql, "Artisan::call('x');".to_owned(), vec![Review]),
        (MySql, table("DB::table('a')->insert(['x' => 2]);"), vec![Backfill]),
        (MySql, format!("Schema::withoutForeignKeyConstraints(function () {{ {} }});", table("$table->dropColumn('a');")), vec![Contract]),
        (MySql, "Schema::disableForeignKeyConstraints();".to_owned(), vec![Expand]),
    ] {
        assert_eq!(classes(engine, &up), expected, "{engine}: {up}");
    }
}

#[test]
fn steps_carry_their_lines_and_texts() {
    let read = Migration::read(
        "database/expand/m.php",
        &migration(&table("\n            $table->string('x')->nullable();\n")),
        Engine::MySql,
    )
    .unwrap();
    assert_eq!(read.steps[0].line, 12);
    assert_eq!(read.steps[0].text, "$table->string('x')->nullable()");
    assert_eq!(read.declared, Some(lotse_migrate_plan::Phase::Expand));
}

#[test]
fn what_is_no_migration_is_refused() {
    for (path, text, said) in [
        ("a.php", "<?php class A { function down() {} }", "no method `up` or `run`"),
        ("a.php", "<?php function up() { $a = 'x", "ends inside a string"),
        ("a.txt", "", "`.sql`"),
    ] {
        let error = Migration::read(path, text, Engine::MySql).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(matches!("oracle".parse::<Engine>(), Err(Error::UnknownEngine { .. })));
}

#[test]
fn nested_closures_and_large_files_are_bounded() {
    let deep = format!(
        "{}{}",
        "Schema::withoutForeignKeyConstraints(function () { ".repeat(2000),
        "});".repeat(2000)
    );
    assert_eq!(classes(Engine::MySql, &deep), [Class::Review]);
    let large = migration(&" ".repeat(2 << 20));
    assert!(matches!(Migration::read("m.php", &large, Engine::MySql), Err(Error::TooLarge { .. })));
}
