using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Dashboard.Infrastructure.Persistence.Configurations;

/// <summary>
/// Compares a column that holds a list, item by item. EF's own comparer makes a delegate at every look for changes, by emitting
/// code: a twentieth of a step's time. Lists of entities are replaced, never changed in place, so a snapshot is the list itself.
/// </summary>
internal sealed class ListComparer<T>() : ValueComparer<IReadOnlyList<T>>((a, b) => Same(a, b), list => Hash(list), list => list)
{
    public static void UseIn(ModelBuilder builder)
    {
        var columns = builder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()).Where(property => property.GetElementType() is not null && property.ClrType == typeof(IReadOnlyList<T>));
        foreach (var column in columns)
        {
            column.SetValueComparer(typeof(ListComparer<T>));
        }
    }

    private static bool Same(IReadOnlyList<T>? a, IReadOnlyList<T>? b) => ReferenceEquals(a, b) || (a is not null && b is not null && a.SequenceEqual(b));

    private static int Hash(IReadOnlyList<T>? list)
    {
        var hash = default(HashCode);
        foreach (var item in list ?? [])
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }
}
