using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

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
