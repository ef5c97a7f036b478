using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>Tables whose rows the database itself neither changes nor removes, whoever asks, and what it does when one is added.</summary>
internal static class AppendOnly
{
    private const string Annotation = "Dashboard:AppendOnly";
    private const string WhenAddedAnnotation = "Dashboard:WhenAdded";

    /// <summary>Updates and deletes of this table fail with <see cref="Refusal"/>.</summary>
    public static void IsAppendOnly<T>(this EntityTypeBuilder<T> builder)
        where T : class => builder.HasAnnotation(Annotation, true);

    /// <summary>One statement that runs for each added row, which it calls <c>NEW</c>, inside the statement that adds it.</summary>
    public static void WhenAdded<T>(this EntityTypeBuilder<T> builder, string statement)
        where T : class => builder.HasAnnotation(WhenAddedAnnotation, statement);

    public static string? WhenAdded(IReadOnlyModel? model, string table) =>
        model?.GetEntityTypes().Where(type => type.GetTableName() == table).Select(type => type.FindAnnotation(WhenAddedAnnotation)?.Value as string).FirstOrDefault(statement => statement is not null);

    /// <summary>What the database says.</summary>
    public static string Refusal(string table) => $"{table} is only ever added to";

    public static bool Holds(IReadOnlyModel? model, string table) =>
        model?.GetEntityTypes().Any(type => type.GetTableName() == table && type.FindAnnotation(Annotation) is not null) == true;
}

/// <summary>
/// Writes the triggers of append-only tables wherever such a table comes to be: in a migration, in <c>EnsureCreated</c>, and after
/// SQLite's way of altering one (a copy that takes its name, which loses triggers). They follow from the model, so a
/// migration that is generated anew has them without a line of its own.
/// </summary>
internal sealed class AppendOnlySql(MigrationsSqlGeneratorDependencies dependencies, IRelationalAnnotationProvider annotations)
    : SqliteMigrationsSqlGenerator(dependencies, annotations)
{
    protected override void Generate(CreateTableOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        base.Generate(operation, model, builder, terminate);
        Guard(operation.Name, model, builder);
    }

    protected override void Generate(RenameTableOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        base.Generate(operation, model, builder);
        Guard(operation.NewName ?? operation.Name, model, builder);
    }

    private void Guard(string table, IModel? model, MigrationCommandListBuilder builder)
    {
        if (!AppendOnly.Holds(model, table))
        {
            return;
        }

        foreach (var what in (string[])["UPDATE", "DELETE"])
        {
            builder.Append($"CREATE TRIGGER \"{table}_no_{what.ToLowerInvariant()}\" BEFORE {what} ON ").Append(Dependencies.SqlGenerationHelper.DelimitIdentifier(table))
                .Append($" BEGIN SELECT RAISE(ABORT, '{AppendOnly.Refusal(table)}'); END").AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator);
            EndStatement(builder);
        }

        if (AppendOnly.WhenAdded(model, table) is { } statement)
        {
            builder.Append($"CREATE TRIGGER \"{table}_added\" AFTER INSERT ON ").Append(Dependencies.SqlGenerationHelper.DelimitIdentifier(table))
                .Append($" BEGIN {statement}; END").AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator);
            EndStatement(builder);
        }
    }
}
