using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// Tables of many small rows that are always found by their key. On SQLite they are stored in the order of that key and
/// without a second copy of it (WITHOUT ROWID): about half the size, and a range of time lies together.
/// </summary>
internal sealed class KeyedTables(MigrationsSqlGeneratorDependencies dependencies, IRelationalAnnotationProvider annotations) : SqliteMigrationsSqlGenerator(dependencies, annotations)
{
    public const string Offers = "PriceOffers";
    public const string Points = "PricePoints";
    public const string Hours = "PriceHours";
    public const string Days = "PriceDays";

    private static readonly string[] All = [Offers, Points, Hours, Days];

    protected override void Generate(CreateTableOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        if (!terminate || !All.Contains(operation.Name))
        {
            base.Generate(operation, model, builder, terminate);
            return;
        }

        base.Generate(operation, model, builder, terminate: false);
        builder.Append(" WITHOUT ROWID").AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator);
        EndStatement(builder);
    }
}

public static class SqliteTables
{
    /// <summary>SQLite, with the tables as this product lays them out.</summary>
    public static DbContextOptionsBuilder UseDashboardSqlite(this DbContextOptionsBuilder options, string connectionString) =>
        options.UseSqlite(connectionString).ReplaceService<IMigrationsSqlGenerator, KeyedTables>();
}
