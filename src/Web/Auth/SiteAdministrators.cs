using System.Security.Claims;
using Dashboard.Infrastructure.Persistence;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Auth;

/// <summary>Lets site administrators see Hangfire's pages. Hangfire's own default, "local requests only", opens them to everyone behind a proxy on the same host.</summary>
internal sealed class SiteAdministrators : IDashboardAsyncAuthorizationFilter
{
    public async Task<bool> AuthorizeAsync(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var caller = await http.AuthenticateAsync(IdentityConstants.ApplicationScheme);
        return caller.Principal is { } person && await IsOneAsync(person, http.RequestServices.GetRequiredService<AppDatabase>(), http.RequestAborted);
    }

    public static async Task<bool> IsOneAsync(ClaimsPrincipal person, AppDatabase database, CancellationToken ct)
    {
        if (TeamAuthorization.IdOf(person) is not { } user)
        {
            return false;
        }

        await using var db = await database.ForSystemAsync(ct);
        return await db.Users.AsNoTracking().AnyAsync(u => u.Id == user.Value && u.IsSiteAdministrator, ct);
    }
}
