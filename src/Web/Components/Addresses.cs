using Microsoft.AspNetCore.WebUtilities;

namespace Dashboard.Web.Components;

/// <summary>Addresses that reproduce a view. Defaults, given as null, are left out.</summary>
public static class Addresses
{
    public static string With(string path, params (string Name, string? Value)[] parameters) =>
        parameters.Where(p => p.Value is not null).Aggregate(path, (address, p) => QueryHelpers.AddQueryString(address, p.Name, p.Value!));
}
