using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// What EF's SQLite does not write by itself: the triggers of <see cref="AppendOnly"/> tables and the layout of <see cref="KeyedTables"/>.
/// Wherever such a table comes to be (in a migration, in <c>EnsureCreated</c>, after SQLite's way of altering one, a copy that takes
/// its name and loses triggers) it has them; they follow from the model, so a migration that is generated anew has them without a line of its own.
/// </summary>
internal sealed class TableSql(MigrationsSqlGeneratorDependencies dependencies, IRelationalAnnotationProvider annotations)
    : SqliteMigrationsSqlGenerator(dependencies, annotations)
{
    protected override void Generate(CreateTableOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        var keyed = terminate && KeyedTables.All.Contains(operation.Name);
        base.Generate(operation, model, builder, terminate && !keyed);
        if (keyed)
        {
            builder.Append(" WITHOUT ROWID").AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator);
            EndStatement(builder);
        }

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

public static class DashboardSqlite
{
    /// <summary>SQLite, with the tables as this product lays and guards them. A context built without it makes plain tables.</summary>
    public static DbContextOptionsBuilder UseDashboardSqlite(this DbContextOptionsBuilder options, string connectionString) =>
        options.UseSqlite(connectionString).ReplaceService<IMigrationsSqlGenerator, TableSql>();

    /// <summary>The same on an open connection.</summary>
    public static DbContextOptionsBuilder<T> UseDashboardSqlite<T>(this DbContextOptionsBuilder<T> options, DbConnection connection)
        where T : DbContext => options.UseSqlite(connection).ReplaceService<IMigrationsSqlGenerator, TableSql>();

    public static DbContextOptionsBuilder<T> UseDashboardSqlite<T>(this DbContextOptionsBuilder<T> options, string connectionString)
        where T : DbContext => options.UseSqlite(connectionString).ReplaceService<IMigrationsSqlGenerator, TableSql>();
}
