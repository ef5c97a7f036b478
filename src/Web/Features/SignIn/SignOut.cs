using Dashboard.Infrastructure.Persistence;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;

namespace Dashboard.Web.Features.SignIn;

internal static class SignOut
{
    /// <summary>A form of ours posts here; another site's cannot.</summary>
    public static void MapSignOut(this IEndpointRouteBuilder endpoints) => endpoints.MapPost("/sign-out", async (HttpContext http, IAntiforgery antiforgery, SignInManager<DashboardUser> signIn) =>
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Results.BadRequest();
        }

        await signIn.SignOutAsync();
        return Results.LocalRedirect("/sign-in");
    }).RequireAuthorization().ExcludeFromDescription();
}
